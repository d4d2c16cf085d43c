package invoke

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	pool "github.com/libp2p/go-buffer-pool"
)

// Interrupter is what a Request's Body may implement besides. Interrupt is
// called when the client gives the body up while a Read may still wait: that
// Read MUST then return soon, with any error.
type Interrupter interface{ Interrupt() }

// upload sends what the first write did not hold of a request's body, on a
// goroutine of its own so that the answer may come meanwhile. It ends with the
// body, on stop, or with the stream. A nil upload has finished.
type upload struct {
	x       *Exchange
	sent    int64
	goAhead chan struct{} // closed when more than FirstWindow may be sent
	told    bool          // goAhead is closed; of Wait's goroutine
	halt    chan struct{}
	halting sync.Once
	done    chan struct{}
	last    atomic.Bool // the last bytes are being written
	whole   atomic.Bool // they have been
}

// startUpload takes buf over.
func (x *Exchange) startUpload(buf []byte, sent int64) {
	u := &upload{x: x, sent: sent, goAhead: make(chan struct{}), halt: make(chan struct{}), done: make(chan struct{})}
	x.mu.Lock()
	x.upload = u
	why := x.why
	x.mu.Unlock()
	if allowed := x.client.addSender(); why != nil || !allowed {
		u.stop()
	}
	go u.run(buf)
}

// addSender tells whether a goroutine may still start; Close waits for it. If
// not, it is to end at once.
func (c *Client) addSender() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.senders.Add(1)
	return !c.closed
}

func (u *upload) run(buf []byte) {
	defer u.x.client.senders.Done()
	defer close(u.done)
	defer pool.Put(buf)
	var err error
	if u.x.req.Size < 0 {
		err = u.chunks(buf)
	} else {
		err = u.sized(buf)
	}
	var source *sourceError
	if errors.As(err, &source) && !u.halted() {
		u.x.giveUp(brokenBody(source.err))
	}
}

// sourceError is an error of the body, not of the stream.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }

func (u *upload) sized(buf []byte) error {
	for size := u.x.req.Size; u.sent < size; {
		room, err := u.room(min(size-u.sent, int64(min(len(buf), writeSize))))
		if err != nil {
			return err
		}
		n, err := u.x.req.Body.Read(buf[:room])
		u.sent += int64(n)
		if err != nil && u.sent < size {
			return &sourceError{orShortBody(err)}
		}
		u.last.Store(u.sent == size)
		if _, err := u.x.st.stream.Write(buf[:n]); err != nil {
			return err
		}
	}
	u.whole.Store(true)
	return nil
}

func (u *upload) chunks(buf []byte) error {
	for {
		room, err := u.room(int64(min(len(buf), writeSize) - chunkRoom - bufSize))
		if err != nil {
			return err
		}
		n, err := u.x.req.Body.Read(buf[chunkRoom : chunkRoom+room])
		u.sent += int64(n)
		b := putChunk(buf, n)
		if err == nil {
			if _, err = u.x.st.stream.Write(b); err != nil {
				return err
			}
			continue
		}
		if !isEOF(err) {
			return &sourceError{err}
		}
		return u.lastChunk(b)
	}
}

// lastChunk ends a chunked body.
func (u *upload) lastChunk(b []byte) error {
	var t trailer
	if u.x.req.Trailer != nil {
		t.fields = u.x.req.Trailer()
	}
	if e := checkHeader(t.fields); e != nil {
		return &sourceError{e}
	}
	u.last.Store(true)
	_, err := u.x.st.stream.Write(appendTrailer(append(b, 0), callTrailer, &t, u.x.client.fill(&u.x.st.news)))
	u.whole.Store(err == nil)
	return err
}

var errHalted = errors.New("upload halted")

// room tells how much of n may be sent now; it waits at FirstWindow, unless the
// body can be had again.
func (u *upload) room(n int64) (int64, error) {
	if u.halted() {
		return 0, errHalted
	}
	if u.x.req.Rewindable {
		return n, nil
	}
	if left := FirstWindow - u.sent; left > 0 {
		select {
		case <-u.goAhead:
			return n, nil
		default:
			return min(n, left), nil
		}
	}
	select {
	case <-u.goAhead:
		return n, nil
	case <-u.halt:
		return 0, errHalted
	}
}

// release lets more than FirstWindow be sent; Wait's goroutine calls it.
func (u *upload) release() {
	if u != nil && !u.told {
		u.told = true
		close(u.goAhead)
	}
}

// stop ends the upload where it is. The stream must be done for as well: a
// write that waits is not ended by this.
func (u *upload) stop() {
	if u == nil || u.finished() {
		return
	}
	u.halting.Do(func() {
		close(u.halt)
		if i, ok := u.x.req.Body.(Interrupter); ok {
			i.Interrupt()
		}
	})
}

func (u *upload) halted() bool {
	select {
	case <-u.halt:
		return true
	default:
		return false
	}
}

// finished tells whether the body has been sent whole.
func (u *upload) finished() bool { return u == nil || u.whole.Load() }

// settle is finished once the answer is over. The answer to a body may be there
// before the write of its last bytes has returned: that is waited for, but not
// for long, for to an early answer it may never return.
func (u *upload) settle() bool {
	if u.finished() || !u.last.Load() {
		return u.finished()
	}
	wait := time.NewTimer(settleTime)
	defer wait.Stop()
	select {
	case <-u.done:
	case <-wait.C:
	}
	return u.finished()
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

func orShortBody(err error) error {
	if isEOF(err) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func brokenBody(err error) *Error {
	return &Error{Code: CodeCancelled, Text: "the request's body broke off", Err: fmt.Errorf("read body: %w", err)}
}
