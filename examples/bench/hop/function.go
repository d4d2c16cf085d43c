package hop

import (
	"io"
	"net/http"
	"strconv"
	"sync"
)

// newFunction answers with the body it was sent, once it has read it whole.
func newFunction(s Setting) (server, error) {
	var pool sync.Pool // of *[]byte
	return serveHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf, _ := pool.Get().(*[]byte)
		if buf == nil {
			buf = new([]byte)
		}
		defer pool.Put(buf)
		if err := fill(buf, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(len(*buf)))
		_, _ = w.Write(*buf)
	}), s.TLS, func() {})
}

// fill reads a request's body into buf.
func fill(buf *[]byte, r *http.Request) error {
	if n := r.ContentLength; n >= 0 {
		if int64(cap(*buf)) < n {
			*buf = make([]byte, n)
		}
		*buf = (*buf)[:n]
		_, err := io.ReadFull(r.Body, *buf)
		return err
	}
	all, err := io.ReadAll(r.Body)
	*buf = all
	return err
}
