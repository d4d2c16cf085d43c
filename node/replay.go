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
	limit int64
	used  atomic.Int64
}

func (b *replayBudget) take(n int64) bool {
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.used.Add(-n)
	return false
}

// replay is a request's body that several attempts may read, one after the
// other. It keeps what was read, up to [invoke.FirstWindow] bytes, until
// commit; once it has passed on more than it keeps, there is no second attempt.
//
// An attempt that was given up may still be blocked in a read of the source:
// its bytes go to the buffer, where the next attempt finds them.
type replay struct {
	budget *replayBudget

	mu      sync.Mutex
	ready   sync.Cond // mu; signals that a read of the source has ended
	source  io.Reader
	reading bool
	kept    []byte
	reserve int64 // of kept, taken from the budget
	lost    bool  // more was passed on than is kept
	done    bool  // committed: nothing more is kept
	err     error // what the source ended with
	current *attempt
}

func newReplay(source io.Reader, budget *replayBudget) *replay {
	r := &replay{source: source, budget: budget}
	r.ready.L = &r.mu
	if source == nil {
		r.err = io.EOF
	}
	return r
}

// prefetch reads a small body whole, so that the source is at its end (an HTTP
// server only then notices that its client hangs up).
func (r *replay) prefetch(size int64) error {
	if size <= 0 || !r.budget.take(size) {
		return nil
	}
	r.reserve = size
	r.kept = make([]byte, size)
	n, err := io.ReadFull(r.source, r.kept)
	r.kept = r.kept[:n]
	if err != nil {
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
	if r.current != nil {
		r.current.over = true
		r.ready.Broadcast()
	}
	r.current = &attempt{body: r}
	return r.current
}

// replayable tells whether another attempt is possible.
func (r *replay) replayable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.lost && !r.done
}

// commit ends keeping: the answer has begun, there is no further attempt.
func (r *replay) commit() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
}

// close gives the budget back. Nothing may read afterwards.
func (r *replay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
	if r.current != nil {
		r.current.over = true
	}
	r.budget.used.Add(-r.reserve)
	r.reserve = 0
	r.ready.Broadcast()
}

// attempt is one reading of the body from its start.
type attempt struct {
	body *replay
	pos  int
	over bool // guarded by body.mu
}

// Read implements io.Reader for one reader at a time.
func (a *attempt) Read(p []byte) (int, error) {
	r := a.body
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case a.over:
			return 0, errAbandoned
		case a.pos < len(r.kept):
			n := copy(p, r.kept[a.pos:])
			a.pos += n
			if a.pos == len(r.kept) && r.err != nil {
				return n, r.err
			}
			return n, nil
		case r.err != nil:
			return 0, r.err
		case r.reading:
			r.ready.Wait()
		default:
			return r.readSource(a, p)
		}
	}
}

// readSource reads once, without holding the lock. What is read is kept if it
// may be, and else goes to the attempt directly.
func (r *replay) readSource(a *attempt, p []byte) (n int, err error) {
	r.reading = true
	r.mu.Unlock()
	n, err = r.source.Read(p)
	r.mu.Lock()
	r.reading = false
	r.ready.Broadcast()
	if err != nil {
		r.err = err
	}
	// What a given-up attempt read belongs to the next one, whatever the limit.
	if r.keep(p[:n], a.over) {
		a.pos += n
	}
	if a.over {
		return 0, errAbandoned
	}
	return n, err
}

// keep appends b to what is kept, or notes that it is lost to later attempts.
func (r *replay) keep(b []byte, must bool) bool {
	if r.lost || r.done {
		return false
	}
	if fits := len(r.kept)+len(b) <= invoke.FirstWindow && r.budget.take(int64(len(b))); fits {
		r.reserve += int64(len(b))
	} else if !must {
		r.lost = true
		return false
	}
	r.kept = append(r.kept, b...)
	return true
}
