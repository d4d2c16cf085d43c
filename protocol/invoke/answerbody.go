package invoke

import (
	"fmt"
	"io"
	"net/http"
)

// answerBody reads an answer's body straight from the stream, on the caller's
// goroutine.
type answerBody struct{ x *Exchange }

// takeBody is called with the answer's header; it sets what the caller reads.
func (x *Exchange) takeBody() error {
	a := &x.answer
	if a.Status < 100 || a.Status > 999 {
		return x.failure(fmt.Errorf("answer with status %d: %w", a.Status, errViolation))
	}
	if e := checkHeader(a.Header); e != nil {
		return x.failure(fmt.Errorf("%s: %w", e.Text, errViolation))
	}
	a.Body = answerBody{x}
	switch {
	case a.Status == http.StatusSwitchingProtocols && x.req.Upgrade != "":
		a.Body, a.Conn = http.NoBody, newRawConn(x)
	case a.NoBody || a.Size == 0:
		x.end(true, io.EOF)
	case a.Size > 0:
		x.chunk = a.Size
	default:
		a.Trailer = x.trailers
	}
	return nil
}

func (x *Exchange) trailers() Header {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.ends.fields
}

// Read ends with io.EOF only if the body is whole.
func (b answerBody) Read(p []byte) (int, error) {
	x := b.x
	x.mu.Lock()
	over, last := x.over, x.last
	x.mu.Unlock()
	if over {
		return 0, last
	}
	if len(p) == 0 {
		return 0, nil
	}
	if x.answer.Size < 0 && x.chunk == 0 {
		if err := x.nextChunk(); err != nil {
			return 0, err
		}
	}
	n, err := x.st.src.Read(p[:min(int64(len(p)), x.chunk)])
	x.chunk -= int64(n)
	if err != nil && x.chunk > 0 {
		return n, x.cut(err)
	}
	if x.chunk == 0 && x.answer.Size >= 0 {
		x.end(true, io.EOF)
		return n, io.EOF
	}
	return n, nil
}

// nextChunk reads the length of a chunk, or the trailer: then io.EOF.
func (x *Exchange) nextChunk() error {
	size, err := x.st.src.uvarint(maxChunk)
	if err != nil {
		return x.cut(err)
	}
	if x.chunk = int64(size); size > 0 {
		return nil
	}
	if err := x.readTrailer(); err != nil {
		return x.cut(err)
	}
	var last error = io.EOF
	if x.ends.code != 0 {
		last = &Error{Code: x.ends.code, Text: x.ends.text, Remote: true}
	}
	x.end(true, last)
	return last
}

func (x *Exchange) readTrailer() error {
	b, err := x.st.src.frame(x.client.cfg.HeaderMax)
	if err != nil {
		return err
	}
	kind, b, err := parseOneof(b)
	if err != nil {
		return err
	}
	if kind != replyTrailer {
		return fmt.Errorf("no trailer after the last chunk: %w", errViolation)
	}
	var t trailer
	if err := parseTrailer(b, &t, &x.st.heard); err != nil {
		return err
	}
	x.client.hear(x.st)
	if checkHeader(t.fields) != nil {
		t.fields = nil
	}
	x.mu.Lock()
	x.ends = t
	x.mu.Unlock()
	return nil
}

// cut ends a body that broke off.
func (x *Exchange) cut(err error) error {
	e := x.cutFailure(err)
	x.end(false, e)
	return e
}

// Close ends the stream if the body has not been read whole, and waits until
// the request's body is not read any more.
func (b answerBody) Close() error {
	if !b.x.ended() {
		b.x.giveUp(&Error{Code: CodeCancelled, Text: "the answer's body was closed"})
		b.x.end(false, b.x.closedError())
	}
	b.x.join()
	return nil
}

func (x *Exchange) ended() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.over
}

func (x *Exchange) closedError() error {
	if why := x.reason(); why != nil {
		return why
	}
	return io.EOF
}
