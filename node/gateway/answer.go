package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// copySize is the buffer of one direction of a body.
const copySize = 64 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, copySize); return &b }}

// write sends an answer, its body as it comes.
func (g *Gateway) write(w http.ResponseWriter, r *http.Request, a *invoke.Answer, began time.Time) {
	h := w.Header()
	id := h.Get(headerCallID)
	for _, f := range a.Header {
		h.Add(f.Name, f.Value)
	}
	h.Set(headerCallID, id) // also where the function echoes it
	g.stamp(h, a.Hops, began)
	if a.Conn != nil {
		g.upgrade(w, r, a)
		return
	}
	defer a.Body.Close()
	if a.Size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(a.Size, 10))
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

// stamp adds what the caller may want to know of the invocation's path.
func (g *Gateway) stamp(h http.Header, hops []invoke.Hop, began time.Time) {
	h.Set("X-Start-Time", strconv.FormatInt(began.UTC().UnixNano(), 10))
	h.Set("X-Served-By", g.product)
	if h.Get("X-Duration-Seconds") == "" {
		h.Set("X-Duration-Seconds", strconv.FormatFloat(time.Since(began).Seconds(), 'f', 6, 64))
	}
	if len(hops) == 0 {
		return
	}
	first, last := &hops[0], &hops[len(hops)-1]
	h.Set("X-P2pfaas-Peer", last.Peer.String())
	h.Set("X-P2pfaas-Hops", strconv.Itoa(len(hops)-1))
	h.Set("X-P2pfaas-Policy", first.Policy)
	h.Set("X-P2pfaas-Reason", sched.Reason(first.Reason).String())
	h.Set("X-P2pfaas-Path", path(hops))
}

// path tells each node's part in milliseconds, the entry first:
// "ID;total=12.3;decide=0.1;reason=there-sooner, ID;total=11;queue=2;service=9;…".
func path(hops []invoke.Hop) string {
	var b strings.Builder
	for i := range hops {
		hop := &hops[i]
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(hop.Peer.String())
		for _, part := range []struct {
			name string
			took time.Duration
		}{{"total", hop.Total}, {"decide", hop.Decide}, {"probe", hop.Probe}, {"queue", hop.Queue}, {"service", hop.Service}} {
			if part.took > 0 {
				b.WriteString(";" + part.name + "=" + strconv.FormatFloat(float64(part.took.Microseconds())/1000, 'f', -1, 64))
			}
		}
		if hop.Reason != 0 {
			fmt.Fprintf(&b, ";reason=%s", sched.Reason(hop.Reason))
		}
		if hop.Attempts > 1 {
			fmt.Fprintf(&b, ";attempts=%d", hop.Attempts)
		}
	}
	return b.String()
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
