package gateway

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// copySize is the buffer of one direction of a body.
const copySize = 64 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, copySize); return &b }}

// write sends an answer, its body as it comes.
func (v *visit) write(a *invoke.Answer) {
	h := v.w.Header()
	fill := v.filler(len(a.Header))
	for i := range a.Header {
		fill.add(a.Header[i].Name, a.Header[i].Value)
	}
	v.stamp(&fill, a.Hops)
	if a.Conn != nil {
		v.upgrade(a)
		return
	}
	defer a.Body.Close()
	if a.Size >= 0 {
		fill.set("Content-Length", strconv.FormatInt(a.Size, 10))
	}
	v.w.WriteHeader(a.Status)
	if a.NoBody {
		_, _ = io.Copy(io.Discard, a.Body)
		return
	}
	if err := copyBody(v.w, a.Body, a.Size); err != nil {
		log.Debugw("answer cut short", "call", v.request.CallID, "error", err)
		_ = http.NewResponseController(v.w).Flush() // what there is shall arrive
		panic(http.ErrAbortHandler)                 // the only way to cut an HTTP/1 answer visibly
	}
	if a.Trailer != nil {
		for _, f := range a.Trailer() {
			h.Add(http.TrailerPrefix+f.Name, f.Value)
		}
	}
}

// copyBody copies a body of that size. One of unknown size, -1, is sent on as it
// comes, a small one in one piece.
func copyBody(w http.ResponseWriter, body io.Reader, size int64) error {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	switch {
	case size < 0:
		return stream(w, body, *buffer)
	case size <= copySize:
		n, err := io.ReadFull(body, (*buffer)[:size])
		_, werr := w.Write((*buffer)[:n])
		return cmp.Or(werr, err)
	}
	_, err := io.CopyBuffer(writer{w}, reader{body}, *buffer)
	return err
}

// writer and reader hide what else the two could do: without a buffer of ours.
type (
	writer struct{ io.Writer }
	reader struct{ io.Reader }
)

// stream copies until EOF and holds nothing back.
func stream(w http.ResponseWriter, body io.Reader, buffer []byte) error {
	control := http.NewResponseController(w)
	if err := control.Flush(); err != nil { // the header must not wait for the first bytes
		return err
	}
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if _, werr := w.Write(buffer[:n]); werr != nil {
				return werr
			}
			if ferr := control.Flush(); ferr != nil {
				return ferr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// upgrade gives both connections to each other.
func (v *visit) upgrade(a *invoke.Answer) {
	defer a.Conn.Close()
	h := v.w.Header()
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", v.r.Header.Get("Upgrade"))
	conn, buffered, err := http.NewResponseController(v.w).Hijack()
	if err != nil {
		http.Error(v.w, "an upgrade needs HTTP/1.1", http.StatusHTTPVersionNotSupported)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Time{})
	if err := writeSwitch(buffered, h); err != nil {
		return
	}
	upstream := make(chan struct{})
	go func() { // ends when the client's side ends, or conn is closed below
		defer close(upstream)
		if _, err := io.Copy(a.Conn, buffered); err != nil {
			_ = a.Conn.Close()
			return
		}
		_ = a.Conn.CloseWrite()
	}()
	_, err = io.Copy(conn, a.Conn)
	if half, ok := conn.(faas.Conn); ok && err == nil {
		_ = half.CloseWrite()
		<-upstream
	}
	_ = conn.Close()
	_ = a.Conn.Close()
	<-upstream
}

type flusher interface {
	io.Writer
	Flush() error
}

func writeSwitch(w flusher, h http.Header) error {
	if _, err := io.WriteString(w, "HTTP/1.1 101 Switching Protocols\r\n"); err != nil {
		return err
	}
	if err := h.Write(w); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\r\n"); err != nil {
		return err
	}
	return w.Flush()
}
