package invoke

import (
	"errors"
	"time"
)

// besideAfter is how long one goroutine reads and runs an invocation alone: so
// much later at most it is seen that the caller has gone away.
const besideAfter = 10 * time.Millisecond

// errRelieved means that another goroutine reads the stream from now on.
var errRelieved = errors.New("another goroutine reads on")

// serve reads until the stream ends, or until another goroutine does so.
func (st *inStream) serve() {
	defer st.quit()
	err := st.read()
	if errors.Is(err, errRelieved) {
		return
	}
	st.giveUp(err)
	close(st.readDone)
}

// quit is the end of a goroutine of the stream; the last closes it.
func (st *inStream) quit() {
	st.mu.Lock()
	st.goroutines--
	last := st.goroutines == 0
	st.mu.Unlock()
	if !last {
		return
	}
	_ = st.stream.Close()
	st.srv.remove(st)
}

// alone reads the body of in, which is small, and runs it.
func (st *inStream) alone(in *inbound) error {
	err := st.readBody(in)
	if !st.claim(in, err != nil) {
		return err // it took long to come: the invocation runs already
	}
	if err != nil {
		in.body.close()
		return err
	}
	st.run(in)
	return st.relieved(in)
}

// claim tells whether nobody runs in yet; then the caller is to, unless its body
// is broken: then nobody will.
func (st *inStream) claim(in *inbound, broken bool) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	first := !in.running
	in.running = true
	if first && broken {
		st.forget(in) // or tick would have somebody read on
	}
	return first
}

// relieved is errRelieved if a goroutine was put beside the one that ran in.
func (st *inStream) relieved(in *inbound) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if in.beside {
		return errRelieved
	}
	return nil
}

// putBeside gives in its second goroutine, if it has none yet: one that runs it,
// or, if that is what the first one does, one that reads on.
func (st *inStream) putBeside(in *inbound) {
	st.mu.Lock()
	if in.beside || st.cur != in {
		st.mu.Unlock()
		return
	}
	running := in.running
	in.beside, in.running = true, true
	st.goroutines++
	st.mu.Unlock()
	if running {
		go st.serve()
		return
	}
	go func() {
		defer st.quit()
		st.run(in)
	}()
}
