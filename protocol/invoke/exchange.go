package invoke

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	pool "github.com/libp2p/go-buffer-pool"
	"github.com/libp2p/go-libp2p/core/network"
)

// Exchange is one invocation that has been sent.
type Exchange struct {
	client *Client
	ctx    context.Context
	req    *Request
	begun  time.Time
	hooked *outStream  // the first one, whose hook the context has; nil if it cannot end
	unhook func() bool // stops that hook; nil if hooked can

	answer  Answer
	refusal Error // instead of an answer, if its Code is not 0
	ends    trailer
	chunk   int64 // left of the answer's chunk, or of its body if sized
	heard   bool  // the server has read the request: it said something

	mu       sync.Mutex
	st       *outStream // set under mu; not to be read from once over and kept
	upload   *upload    // sends the rest of the body, nil if there was none; set under mu
	asking   sync.WaitGroup
	timed    bool   // the stream's timer runs for the deadline, guarded by mu
	tainted  bool   // the stream's timer fired, guarded by mu
	spoiled  bool   // the first write broke off; set before Open returns
	answered bool   // guarded by mu
	asked    bool   // TakeBack has been sent, guarded by mu
	over     bool   // the stream is given back, guarded by mu
	why      *Error // why this side gave up, guarded by mu
	last     error  // what Body.Read returns once over, guarded by mu

	// Room for what most answers have, so that it takes no memory of its own.
	fields [4]Field
	hops   [2]Hop
}

func newExchange(ctx context.Context, c *Client, st *outStream, r *Request, begun time.Time) *Exchange {
	x := &Exchange{client: c, ctx: ctx, req: r, begun: begun, st: st}
	x.answer.Header, x.answer.Hops = x.fields[:0], x.hops[:0]
	return x
}

// begin sends the first write, and hooks the context.
func (x *Exchange) begin() error {
	x.st.hook(x)
	left, err := x.timeLeft()
	if err != nil {
		x.end(true, nil)
		return &Error{Code: CodeExpired, Text: err.Error(), Err: context.DeadlineExceeded}
	}
	buf := pool.Get(x.firstRoom())
	n, err := x.first(buf, left)
	if err != nil {
		pool.Put(buf)
		return err
	}
	if x.spoiled || x.wholeAfter(n) {
		pool.Put(buf)
	} else {
		x.startUpload(buf, n)
	}
	if left > 0 {
		x.mu.Lock()
		x.timed = !x.over
		x.st.limit(x, left+deadlineGrace)
		x.mu.Unlock()
	}
	return nil
}

// firstRoom is how large a buffer the first write needs: the header, and all of
// a small body.
func (x *Exchange) firstRoom() int {
	if size := x.req.Size; size >= 0 && size <= largeSize {
		return bufSize + int(size)
	}
	return writeSize
}

func (x *Exchange) wholeAfter(n int64) bool { return x.req.Size >= 0 && n == x.req.Size }

// first writes the header and the first bytes of a body of known size, and
// tells how many. It uses buf, or more memory for a large header.
func (x *Exchange) first(buf []byte, left time.Duration) (int64, error) {
	b := appendRequest(buf[:0], x.req, left, x.client.fill(&x.st.news))
	if len(b) > x.client.cfg.HeaderMax {
		x.end(true, nil)
		return 0, bad("the request's header takes %d bytes, at most %d are allowed", len(b), x.client.cfg.HeaderMax)
	}
	n := 0
	if room := min(x.req.Size, int64(cap(b)-len(b))); room > 0 {
		var err error
		n, err = x.req.Body.Read(b[len(b) : len(b)+int(room)])
		if err = x.bodyError(int64(n), err); err != nil {
			e := brokenBody(err)
			x.end(true, nil)
			return 0, e
		}
		b = b[:len(b)+n]
	}
	return int64(n), x.firstWrite(b)
}

// bodyError is what is wrong with the request's body after n bytes of it.
func (x *Exchange) bodyError(n int64, err error) error {
	if err == nil || isEOF(err) && n >= x.req.Size {
		return nil
	}
	return orShortBody(err)
}

// firstWrite writes b, once more on a fresh stream if the kept one is dead.
func (x *Exchange) firstWrite(b []byte) error {
	n, err := x.st.stream.Write(b)
	if err == nil {
		return nil
	}
	if n == 0 && x.st.used && x.reason() == nil {
		var fresh *outStream
		if fresh, err = x.client.fresh(x.ctx, x.st); err == nil {
			x.swap(fresh)
			n, err = fresh.stream.Write(b)
		}
	}
	if err == nil {
		return nil
	}
	if n > 0 && x.reason() == nil {
		// An answer that does not want the body may be there: Wait will see.
		x.spoiled = true
		return nil
	}
	e := x.failure(err)
	x.end(false, e)
	if !errors.Is(e, ErrNotReached) && x.reason() == nil {
		return fmt.Errorf("send to %s: %w: %w", x.st.peer, ErrNotReached, err)
	}
	return e
}

// swap goes on with another stream; if the invocation was given up meanwhile,
// that is reset too.
func (x *Exchange) swap(st *outStream) {
	x.mu.Lock()
	x.st = st
	why := x.why
	x.mu.Unlock()
	if why != nil {
		st.discard(why.Code)
	}
}

// Wait returns the answer, or an error (*Error, or wrapping ErrNotReached).
// onProgress may be nil; it is called on Wait's goroutine for each progress
// frame. Wait is to be called once.
func (x *Exchange) Wait(onProgress func(Progress)) (*Answer, error) {
	for {
		done, err := x.waitFrame(onProgress)
		if err != nil {
			x.end(false, err)
			x.join()
			return nil, err
		}
		if done {
			return &x.answer, nil
		}
	}
}

// waitFrame handles one frame and tells whether the answer is there.
func (x *Exchange) waitFrame(onProgress func(Progress)) (bool, error) {
	b, err := x.st.src.frame(x.client.cfg.HeaderMax)
	if err != nil {
		return false, x.failure(err)
	}
	kind, b, err := parseOneof(b)
	if err != nil {
		return false, x.failure(err)
	}
	x.heard = true
	switch kind {
	case replyProgress:
		return false, x.progress(b, onProgress)
	case replyCancelResult:
		return false, x.cancelResult(b)
	case replyAnswer:
		return true, x.gotAnswer(b)
	}
	return false, nil // a frame of a later version
}

func (x *Exchange) progress(b []byte, tell func(Progress)) error {
	var p Progress
	if err := parseProgress(b, &p, &x.st.heard); err != nil {
		return x.failure(err)
	}
	x.client.hear(x.st)
	if p.Started {
		x.upload.release()
	}
	if tell != nil {
		tell(p)
	}
	return nil
}

func (x *Exchange) cancelResult(b []byte) error {
	cancelled, err := parseCancelResult(b)
	if err != nil {
		return x.failure(err)
	}
	if !cancelled {
		return nil
	}
	x.end(true, nil)
	return &Error{Code: CodeTakenBack, Remote: true}
}

// gotAnswer takes the answer's header.
func (x *Exchange) gotAnswer(b []byte) error {
	e := &x.refusal
	e.Remote = true
	if err := parseAnswer(b, &x.answer, e, &x.st.heard); err != nil {
		return x.failure(err)
	}
	x.client.hear(x.st)
	x.mu.Lock()
	x.answered = true
	x.stopTimer()
	x.mu.Unlock()
	x.st.used = true
	if e.Code != 0 {
		x.end(true, nil)
		return e
	}
	x.upload.release()
	return x.takeBody()
}

// stopTimer needs mu.
func (x *Exchange) stopTimer() {
	if x.timed && !x.st.timer.Stop() {
		x.tainted = true
	}
	x.timed = false
}

// TakeBack asks the peer to cancel the invocation if it still waits. The result
// comes out of Wait: an *Error with CodeTakenBack, or the answer. It returns
// false, and does nothing, before the body has been sent whole, after the
// answer has come, and for a request to upgrade. Safe to call from any
// goroutine.
func (x *Exchange) TakeBack() bool {
	x.mu.Lock()
	ok := !x.over && !x.answered && !x.spoiled && x.req.Upgrade == "" && x.upload.finished()
	send := ok && !x.asked
	if send {
		x.asked = true
		x.asking.Add(1) // end waits: behind the next request it would cancel that
	}
	st := x.st
	x.mu.Unlock()
	if send {
		defer x.asking.Done()
		var buf [8]byte
		_, _ = st.stream.Write(appendCancel(buf[:0])) // Wait sees an error too
	}
	return ok
}

// Cancel resets the stream (CodeCancelled); Wait and Body.Read fail.
func (x *Exchange) Cancel() {
	why := &Error{Code: CodeCancelled}
	x.giveUp(why)
	x.end(false, why)
}

// giveUp ends the invocation from this side.
func (x *Exchange) giveUp(why *Error) {
	x.mu.Lock()
	if x.over || x.why != nil {
		x.mu.Unlock()
		return
	}
	x.why = why
	st, up := x.st, x.upload
	x.mu.Unlock()
	_ = st.stream.ResetWithError(network.StreamErrorCode(why.Code))
	up.stop()
}

func (x *Exchange) reason() *Error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.why
}

func (x *Exchange) ctxEnded() {
	if errors.Is(x.ctx.Err(), context.DeadlineExceeded) {
		x.giveUp(&Error{Code: CodeDeadline, Err: context.DeadlineExceeded})
		return
	}
	x.giveUp(&Error{Code: CodeCancelled, Err: context.Cause(x.ctx)})
}

func (x *Exchange) deadlinePassed() {
	x.mu.Lock()
	answered := x.answered
	x.mu.Unlock()
	if !answered {
		x.giveUp(&Error{Code: CodeDeadline, Err: context.DeadlineExceeded})
	}
}

// end gives the stream back, once: to be kept if it stands at a frame boundary
// on both sides. Body.Read returns last from then on.
func (x *Exchange) end(keep bool, last error) {
	keep = keep && x.upload.settle()
	x.mu.Lock()
	if x.over {
		x.mu.Unlock()
		return
	}
	x.over, x.last = true, last
	x.stopTimer()
	keep = keep && x.why == nil && !x.tainted && !x.spoiled
	st, up := x.st, x.upload
	x.mu.Unlock()
	if !x.unhooked() {
		keep = false // the hook runs, and may still reset the stream
	}
	x.asking.Wait()
	up.stop()
	if keep {
		st.owner.Store(nil) // what an idle stream holds on to cannot be collected
	}
	x.client.release(st, keep)
}

// join waits until the request's body is not read any more.
func (x *Exchange) join() {
	if x.upload != nil {
		x.upload.stop()
		<-x.upload.done
	}
}
