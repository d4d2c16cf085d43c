package builtin

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/coder/websocket"
)

// echo sends the body back, flushing what each Read brought. It reads to the end.
func echo(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		echoMessages(w, r)
		return
	}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-Echo-") || name == "Content-Type" {
			w.Header()[name] = values
		}
	}
	if r.ContentLength > 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	if status, err := strconv.Atoi(r.URL.Query().Get("status")); err == nil && status >= 200 && status < 600 {
		w.WriteHeader(status)
	}
	copyBody(w, r)
	if len(r.Trailer) > 0 {
		// A short answer would get a Content-Length, and no trailer.
		_ = http.NewResponseController(w).Flush()
	}
	for name, values := range r.Trailer {
		w.Header()[http.TrailerPrefix+name] = values
	}
}

func copyBody(w http.ResponseWriter, r *http.Request) {
	flusher := http.NewResponseController(w)
	left, cutting := cutAfter(r)
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buf)
		out := buf[:n]
		if cutting && n >= left {
			out = out[:left]
		}
		_, werr := w.Write(out)
		if cutting && n >= left {
			cut(w)
		}
		left -= n
		if err == io.EOF {
			return
		}
		if err != nil || werr != nil {
			panic(http.ErrAbortHandler) // a cut body has a cut echo
		}
		_ = flusher.Flush()
	}
}

// cutAfter reads ?cut=N.
func cutAfter(r *http.Request) (int, bool) {
	n, err := strconv.Atoi(r.URL.Query().Get("cut"))
	return n, err == nil && n >= 0
}

// cut ends the answer visibly before its end.
func cut(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// echoMessages echoes WebSocket messages until the other side closes.
func echoMessages(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(16 << 20)
	for {
		kind, message, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if err := c.Write(r.Context(), kind, message); err != nil {
			return
		}
	}
}
