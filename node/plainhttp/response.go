package plainhttp

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// response is the http.ResponseWriter of an exchange. The header's fields are put
// down when the handler says WriteHeader; what depends on the body is added when
// enough of that is there to know, see [response.commit]. What was not sent waits in
// out, so that a small answer leaves in one write.
type response struct {
	of     *exchange
	header http.Header
	out    *outgoing // nil while there is nothing

	status    int   // 0 before WriteHeader
	size      int64 // that the handler declared or that is known, -1 for unknown
	written   int64
	given     given
	committed bool // the header is complete
	chunked   bool
	last      bool  // the connection ends behind this answer
	duplex    bool  // the handler reads while it writes
	limited   bool  // writes are
	err       error // of the socket
	parts     [3][]byte
	buffers   net.Buffers
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		w.of.conn.srv.logf("plainhttp: superfluous WriteHeader(%d) for %s %s", status, w.of.request.Method, w.of.request.URL.Path)
		return
	}
	if status < 100 || status > 999 {
		panic("invalid WriteHeader code " + strconv.Itoa(status))
	}
	w.appendStatus(status)
	if status < 200 && status != http.StatusSwitchingProtocols {
		w.inform()
		return
	}
	w.status = status
	w.appendGiven()
}

// inform sends an answer of 1xx.
func (w *response) inform() {
	for name, values := range w.header {
		if name != "Content-Length" && name != "Transfer-Encoding" {
			w.appendField(name, values)
		}
	}
	w.appendText("\r\n")
	w.send()
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case len(p) == 0:
		return 0, nil
	case !mayHaveBody(w.status):
		return 0, http.ErrBodyNotAllowed
	}
	w.written += int64(len(p))
	if w.size >= 0 && w.written > w.size {
		return 0, http.ErrContentLength
	}
	if !w.committed {
		return w.writeFirst(p)
	}
	return len(p), w.writeBody(p)
}

// writeFirst holds what may be all of a body, or enough to tell its type.
func (w *response) writeFirst(p []byte) (int, error) {
	if w.written != w.size && len(w.out.held)+len(p) <= heldSize {
		w.out.held = append(w.out.held, p...)
		return len(p), nil
	}
	rest := p
	if len(w.out.held) > 0 {
		n := min(len(p), heldSize-len(w.out.held))
		w.out.held, rest = append(w.out.held, p[:n]...), p[n:]
		w.commit(w.out.held, false)
		if err := w.writeBody(w.out.held); err != nil {
			return 0, err
		}
	} else {
		w.commit(p, false)
	}
	return len(p), w.writeBody(rest)
}

// writeBody adds a part of the body. A large one is sent without a copy.
func (w *response) writeBody(p []byte) error {
	if w.of.request.Method == http.MethodHead || len(p) == 0 {
		return w.err
	}
	w.take()
	if w.chunked {
		w.out.text = append(strconv.AppendUint(w.out.text, uint64(len(p)), 16), "\r\n"...)
	}
	if len(w.out.text)+len(p)+len("\r\n") > outSize {
		w.sendWith(p)
		return w.err
	}
	w.out.text = append(w.out.text, p...)
	if w.chunked {
		w.appendText("\r\n")
	}
	if w.written == w.size { // nothing more will come
		w.send()
	}
	return w.err
}

// take makes sure that there is memory for what goes out.
func (w *response) take() {
	if w.out == nil {
		w.out = w.of.conn.srv.outs.Get().(*outgoing)
	}
}

// release gives it back.
func (w *response) release() {
	out := w.out
	if w.out = nil; out == nil || cap(out.text) > outSize {
		return
	}
	out.text, out.held = out.text[:0], out.held[:0]
	w.of.conn.srv.outs.Put(out)
}

// errOver is what a handler gets that writes after it has returned.
var errOver = errors.New("plainhttp: write after the handler's end")

// end has nothing be sent any more: what comes next over the connection is not w's.
func (w *response) end() {
	w.release()
	w.header, w.err = nil, errOver
}

// send sends what is waiting.
func (w *response) send() {
	if w.err == nil && w.out != nil && len(w.out.text) > 0 {
		w.failed(w.of.conn.write(w.out.text))
	}
	w.release()
}

// sendWith sends what is waiting and then p.
func (w *response) sendWith(p []byte) {
	if w.err == nil {
		w.parts = [3][]byte{w.out.text, p, lineEnd}
		w.buffers = w.parts[:2]
		if w.chunked {
			w.buffers = w.parts[:3]
		}
		_, err := w.buffers.WriteTo(w.of.conn.tcp)
		w.parts = [3][]byte{}
		w.failed(err)
	}
	w.release()
}

var lineEnd = []byte("\r\n")

// failed takes a write's error. There is nobody to tell anything then.
func (w *response) failed(err error) {
	if err != nil {
		w.err = err
		w.of.conn.lose()
	}
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is what an http.ResponseController looks for.
func (w *response) FlushError() error {
	w.letGo(false)
	w.send()
	return w.err
}

// letGo adds the header to what is waiting, and what of the body was held; done
// tells whether that is all.
func (w *response) letGo(done bool) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.committed {
		w.commit(w.out.held, done)
		_ = w.writeBody(w.out.held)
	}
}

// finish ends the answer, and tells whether the connection may have another.
func (w *response) finish() bool {
	w.letGo(true)
	if w.chunked {
		w.take()
		w.appendText("0\r\n")
		w.appendTrailers()
		w.appendText("\r\n")
	}
	w.send()
	if w.limited {
		_ = w.of.conn.tcp.SetWriteDeadline(time.Time{})
	}
	short := w.size >= 0 && w.written != w.size && mayHaveBody(w.status) && w.of.request.Method != http.MethodHead
	return w.err == nil && !w.last && !short
}

// EnableFullDuplex is what an http.ResponseController looks for.
func (w *response) EnableFullDuplex() error {
	w.duplex = true
	return nil
}

// SetReadDeadline is what an http.ResponseController looks for.
func (w *response) SetReadDeadline(t time.Time) error { return w.of.conn.limit(w.of, t) }

// SetWriteDeadline is what an http.ResponseController looks for.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.limited = true
	return w.of.conn.limitWrites(w.of, t)
}
