package gateway

import (
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
func (g *Gateway) write(w http.ResponseWriter, r *http.Request, a *invoke.Answer, began time.Time) {
	h := w.Header()
	id := h[headerCallID]
	fill := newFiller(h, len(a.Header)+stamped)
	for _, f := range a.Header {
		fill.add(f.Name, f.Value)
	}
	h[headerCallID] = id // also where the function echoes it
	g.stamp(&fill, a.Hops, began)
	if a.Conn != nil {
		g.upgrade(w, r, a)
		return
	}
	defer a.Body.Close()
	if a.Size >= 0 {
		fill.set("Content-Length", strconv.FormatInt(a.Size, 10))
	}
	w.WriteHeader(a.Status)
	if a.NoBody {
		_, _ = io.Copy(io.Discard, a.Body)
		return
	}
	if err := copyBody(w, a.Body, a.Size < 0); err != nil {
		log.Debugw("answer cut short", "call", h.Get(headerCallID), "error", err)
		_ = http.NewResponseController(w).Flush() // what there is shall arrive
		panic(http.ErrAbortHandler)               // the only way to cut an HTTP/1 answer visibly
	}
	if a.Trailer != nil {
		for _, f := range a.Trailer() {
			h.Add(http.TrailerPrefix+f.Name, f.Value)
		}
	}
}

// copyBody copies until EOF; a body of unknown length is sent on as it comes.
func copyBody(w http.ResponseWriter, body io.Reader, flush bool) error {
	control := http.NewResponseController(w)
	if flush { // the header must not wait for the first bytes
		if err := control.Flush(); err != nil {
			return err
		}
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	for {
		n, err := body.Read(*buffer)
		if n > 0 {
			if _, werr := w.Write((*buffer)[:n]); werr != nil {
				return werr
			}
			if flush {
				if ferr := control.Flush(); ferr != nil {
					return ferr
				}
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
func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request, a *invoke.Answer) {
	defer a.Conn.Close()
	h := w.Header()
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", r.Header.Get("Upgrade"))
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "an upgrade needs HTTP/1.1", http.StatusHTTPVersionNotSupported)
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
