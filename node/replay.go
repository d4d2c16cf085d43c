package node

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// errAbandoned ends the reads of an attempt that has been given up.
var errAbandoned = errors.New("attempt given up")

// replayBudget bounds what all bodies together keep for a replay, in bytes.
type replayBudget struct {
	limit   int64
	used    atomic.Int64
	refused atomic.Int64 // count
}

func (b *replayBudget) take(n int64) bool {
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.used.Add(-n)
	b.refused.Add(1)
	return false
}

// replay is a request's body that several attempts may read, one after the
// other. It keeps what was read, up to [invoke.FirstWindow] bytes, until
// commit; once it has passed on more than it keeps, there is no second attempt.
//
// As long as there may be one, the source is read on a goroutine of its own: an
// attempt that is given up must not have to wait for a slow client, and what is
// read then belongs to the next attempt.
type replay struct {
	budget *replayBudget

	mu      sync.Mutex
	change  sync.Cond // mu; a read has ended, or an attempt is over
	source  io.Reader
	reading bool // the source is being read, into kept's spare room or directly
	kept    pieces
	reserve int64 // taken from the budget
	lost    bool  // more was passed on than is kept
	done    bool  // committed: nothing more is kept
	closed  bool
	err     error // what the source ended with
	current *attempt
	first   attempt // memory of the usually only one
}

func newReplay(source io.Reader, budget *replayBudget) *replay {
	r := new(replay)
	r.begin(source, budget)
	return r
}

func (r *replay) begin(source io.Reader, budget *replayBudget) {
	r.source, r.budget = source, budget
	r.change.L = &r.mu
	if source == nil {
		r.err = io.EOF
	}
}

// prefetch reads a small body whole, so that the source is at its end (an HTTP
// server only then notices that its client hangs up).
func (r *replay) prefetch(size int64) error {
	if size <= 0 || !r.budget.take(size) {
		return nil
	}
	r.reserve = size
	if err := r.kept.readFull(r.source, int(size)); err != nil {
		return err
	}
	r.err = io.EOF
	return nil
}

// attempt starts the body anew; nil when it cannot be replayed any more. The
// attempt before is over: its reads fail.
func (r *replay) attempt() *attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost || r.done {
		return nil
	}
	next := &r.first
	if r.current != nil {
		r.current.over = true
		r.change.Broadcast()
		next = new(attempt)
	}
	next.body = r
	r.current = next
	return next
}

// replayable tells whether another attempt is possible.
func (r *replay) replayable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.lost && !r.done && (r.err == nil || r.err == io.EOF)
}

// commit ends keeping: the answer has begun, there is no further attempt.
func (r *replay) commit() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
}

// close gives the budget back, and returns when the source is not read any more.
func (r *replay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.closed = true, true
	r.change.Broadcast()
	for r.reading {
		r.interrupt()
		r.change.Wait()
	}
	r.budget.used.Add(-r.reserve)
	r.reserve = 0
	r.kept.free()
}

// interrupt ends a read of the source for good, with mu held.
func (r *replay) interrupt() {
	if s, ok := r.source.(invoke.Interrupter); ok {
		s.Interrupt()
	}
}

// pull reads the source once, on a goroutine of its own, into the room for n
// bytes behind what is kept.
func (r *replay) pull(room []byte) {
	n, err := r.source.Read(room)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading = false
	r.kept.fill(n)
	unused := int64(len(room) - n)
	r.reserve -= unused
	r.budget.used.Add(-unused)
	if err != nil {
		r.err = err
	}
	r.change.Broadcast()
}

// room makes room for up to n more kept bytes; none if no more may be kept.
func (r *replay) room(n int) []byte {
	n = min(n, invoke.FirstWindow-r.kept.size)
	if r.lost || r.done || n <= 0 {
		return nil
	}
	room := r.kept.spare(n)
	if !r.budget.take(int64(len(room))) {
		return nil
	}
	r.reserve += int64(len(room))
	return room
}

// attempt is one reading of the body from its start.
type attempt struct {
	body *replay
	pos  place // in what is kept
	over bool  // guarded by body.mu
}

// Buffered is how much can be read without waiting.
func (a *attempt) Buffered() int {
	a.body.mu.Lock()
	defer a.body.mu.Unlock()
	return a.body.kept.size - a.pos.read
}

// Bytes is of what can be read without waiting as much as lies in one piece, all
// of a small body that was prefetched. It stays as it is until the replay is closed.
func (a *attempt) Bytes() []byte {
	a.body.mu.Lock()
	defer a.body.mu.Unlock()
	if a.over || a.body.closed {
		return nil
	}
	return a.body.kept.here(&a.pos)
}

// Interrupt implements [invoke.Interrupter]: reads end now and fail from now on.
func (a *attempt) Interrupt() {
	r := a.body
	r.mu.Lock()
	defer r.mu.Unlock()
	a.over = true
	r.change.Broadcast()
	if r.reading && (r.lost || r.done) {
		r.interrupt() // nobody else wants what it reads
	}
}

// Read implements io.Reader for one reader at a time.
func (a *attempt) Read(p []byte) (int, error) {
	r := a.body
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case a.over || r.closed:
			return 0, errAbandoned
		case a.pos.read < r.kept.size:
			return r.kept.read(p, &a.pos), nil
		case r.err != nil:
			return 0, r.err
		case r.reading:
			r.change.Wait()
		default:
			room := r.room(len(p))
			if room == nil {
				return r.direct(p)
			}
			r.reading = true
			go r.pull(room)
		}
	}
}

// direct reads past what is kept.
func (r *replay) direct(p []byte) (int, error) {
	r.lost = true
	r.reading = true
	r.mu.Unlock()
	n, err := r.source.Read(p)
	r.mu.Lock()
	r.reading = false
	if err != nil {
		r.err = err
	}
	r.change.Broadcast()
	return n, err
}
