package mux

import "os"

// Write returns once all of p waits to be sent, by the caller itself if nothing
// else does: a small p that the window allows at once, of others what there is no
// room for is taken bit by bit. It returns early with the stream's end, or at the
// deadline.
func (st *Stream) Write(p []byte) (int, error) {
	st.writing.Lock()
	defer st.writing.Unlock()
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	if err := st.writable(); err != nil || len(p) == 0 {
		return 0, err
	}
	limit := batchSize
	if len(p) <= smallWrite {
		limit = maxOut
	}
	crowded := st.inCrowd()
	if st.s.alone.stream == st {
		st.s.alone.unsaid = 0
	}
	st.pending = p
	st.s.add(st, limit)
	st.s.sendNow(st, crowded)
	err := st.waitTaken()
	n := len(p) - len(st.pending)
	st.pending = nil
	return n, err
}

// crowd is how many writes of others between two of a stream make it worth to wait
// for theirs: fewer do not save as much as they lose by going in step.
const crowd = 24

// inCrowd counts a write, and tells whether so many lie between two of the streams'
// that write lately.
func (st *Stream) inCrowd() bool {
	const memory = 8 // writes
	s := st.s
	s.written++
	s.between += (float64(min(s.written-st.wrote, 2*crowd)) - s.between) / memory
	st.wrote = s.written
	return s.between >= crowd
}

func (st *Stream) writable() error {
	if st.writeErr == nil && st.writeBy.passed() {
		return os.ErrDeadlineExceeded
	}
	return st.writeErr
}

// waitTaken waits until pending is empty; it gives mu up meanwhile.
func (st *Stream) waitTaken() error {
	for len(st.pending) > 0 {
		if err := st.writable(); err != nil {
			return err
		}
		st.parked = true
		st.s.alone.claim()
		st.writeBy.arm(st, (*Stream).writeExpired)
		st.s.mu.Unlock()
		<-st.writeUp
		st.s.mu.Lock()
	}
	return nil
}

// ready tells whether a frame can be made of what Write holds.
func (st *Stream) ready() bool {
	return len(st.pending) > 0 && st.window > 0 && st.writeErr == nil
}

func (st *Stream) wakeWriter() {
	if st.parked {
		st.parked = false
		st.writeBy.disarm()
		st.writeUp <- struct{}{}
	}
}

func (st *Stream) writeExpired() {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	switch {
	case !st.parked:
	case st.writeBy.passed():
		st.wakeWriter()
	default:
		st.writeBy.arm(st, (*Stream).writeExpired) // it was moved
	}
}
