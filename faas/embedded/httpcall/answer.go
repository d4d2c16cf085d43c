package httpcall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/p2pfaas/p2pfaas/faas"
)

// maxInterim is the number of 1xx answers skipped before the call is given up.
const maxInterim = 16

// answer is one call: its Response and, as one allocation, the Response's Body.
type answer struct {
	faas.Response
	conn    *conn
	client  *Client
	ctx     context.Context
	watch   watch
	release func()
	up      *upload // nil unless the request is sent beside
	kept    bool    // the connection served an earlier call
	broken  bool    // the connection cannot serve another call
	lent    []byte  // the body, where it is written without a copy

	body    framing
	left    int64 // bytes of the body, or of its current chunk
	chunk   chunkState
	trailer faas.Header
	room    int         // bytes that the trailer may still take
	err     error       // what Read returns from now on
	ended   atomic.Bool // cleanly: the connection is not read any more
	closed  atomic.Bool

	fields [6]faas.Field // room for a usual header
}

// framing says where a body ends.
type framing uint8

const (
	framedEmpty framing = iota
	framedLength
	framedChunks
	framedClose
	framedUpgrade // raw bytes, read through Conn
)

// receive reads the answer's header and sets up the body.
func (a *answer) receive(r *faas.Request) error {
	h, err := a.finalHead()
	if err != nil {
		return err
	}
	if h.status == 101 && r.Upgrade == "" {
		return fmt.Errorf("%w: status 101 though no upgrade was asked for", errMalformed)
	}
	a.Status, a.Header, a.Size, a.Body = h.status, h.header, h.size, a
	a.broken = a.broken || h.close
	a.frame(r.Method, &h)
	return nil
}

func (a *answer) finalHead() (head, error) {
	for range maxInterim {
		block, err := a.conn.head()
		if err != nil {
			return head{}, fmt.Errorf("read answer: %w", cut(err))
		}
		h, err := parseHead(string(block), a.fields[:0])
		if err != nil || h.status >= 200 || h.status == 101 {
			return h, err
		}
	}
	return head{}, fmt.Errorf("%w: more than %d interim answers", errMalformed, maxInterim)
}

func (a *answer) frame(method string, h *head) {
	switch {
	case h.status == 101:
		a.body, a.Size, a.err = framedUpgrade, 0, io.EOF
		a.Conn = upgraded{a}
		return
	case method == "HEAD", h.status == 204, h.status == 304:
		a.finish()
	case h.chunked:
		a.body, a.room = framedChunks, maxHeader
		a.Trailer = a.trailerFields
	case h.size > 0:
		a.body, a.left = framedLength, h.size
	case h.size == 0:
		a.finish()
	default:
		a.body, a.broken = framedClose, true
	}
}

func (a *answer) trailerFields() faas.Header { return a.trailer }

// Read returns bytes as they come.
func (a *answer) Read(p []byte) (int, error) {
	if a.err != nil || len(p) == 0 {
		return 0, a.err
	}
	if a.body == framedChunks {
		if err := a.advance(true); err != nil {
			return 0, a.fail(err)
		}
		if a.err != nil {
			return 0, a.err
		}
	}
	if a.body != framedClose {
		p = p[:min(int64(len(p)), a.left)]
	}
	n, err := a.conn.take(p)
	return n, a.consumed(n, err)
}

// consumed notes n bytes as read, and looks whether the body ends behind them:
// who knows its size need not read on to free the connection.
func (a *answer) consumed(n int, err error) error {
	switch a.body {
	case framedClose:
		if err == io.EOF {
			a.finish()
			return a.eofAfter(n)
		}
	case framedLength:
		if a.left -= int64(n); a.left == 0 {
			a.finish()
			return a.eofAfter(n)
		}
	case framedChunks:
		if a.left -= int64(n); a.left == 0 && err == nil {
			return a.ahead()
		}
	}
	if err == nil {
		return nil
	}
	return a.fail(err)
}

func (a *answer) eofAfter(n int) error {
	if n > 0 {
		return nil
	}
	return a.err
}

// ahead goes past the end of a chunk as far as it is buffered already. What it
// finds wrong is what Read returns from then on.
func (a *answer) ahead() error {
	err := a.advance(false)
	if err == nil || err == errPartial {
		return nil
	}
	return a.fail(err)
}

// Buffered returns how many bytes Read can return without waiting, as far as
// they are in this connection's buffer.
func (a *answer) Buffered() int {
	if a.err != nil {
		return 0
	}
	if a.body == framedChunks && a.ahead() != nil {
		return 0
	}
	n := a.conn.w - a.conn.r
	if a.body == framedClose {
		return n
	}
	return int(min(int64(n), a.left))
}

func (a *answer) finish() {
	a.err = io.EOF
	a.ended.Store(true)
}

// fail ends the body; whatever the reason, the answer is cut short.
func (a *answer) fail(err error) error {
	err = a.explain(fmt.Errorf("read answer: %w", cut(err)))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
	}
	a.err = err
	return err
}

// explain names the cause of a failed call: who closed the connection under it.
func (a *answer) explain(err error) error {
	switch {
	case errors.Is(err, faas.ErrNotStarted):
		return err
	case a.up != nil && a.up.outcome.Load() == unreadable:
		err = a.up.err
	case a.ctx.Err() != nil:
		err = fmt.Errorf("call function: %w", context.Cause(a.ctx))
	}
	if a.up != nil && a.neverSent() {
		err = fmt.Errorf("%w: %w", faas.ErrNotStarted, err)
	}
	return err
}

// neverSent is certain only once the upload is over.
func (a *answer) neverSent() bool {
	return a.up.outcome.Load() != uploading && !a.up.wrote.Load()
}

// Close frees the connection: it is kept if both sides were done, else closed.
func (a *answer) Close() error {
	if a.closed.Swap(true) {
		return nil
	}
	whole := a.ended.Load() && !a.broken
	if a.up != nil {
		a.up.stopped.Store(true)
		whole = whole && a.up.outcome.Load() == uploaded
	}
	whole = a.watch.end() && whole
	if whole {
		a.client.put(a.conn)
	} else {
		a.conn.close()
	}
	if a.release != nil {
		a.release()
	}
	return nil
}
