package wasi

import (
	"fmt"
	"io"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// readSize is how much of a body is read at once.
const readSize = 32 << 10

// input is the request's body as the module's standard input. A Read that may
// wait is done by a goroutine of its own, so that the module's end need not
// wait for the body.
type input struct {
	call *call
	body *watchdog.Input

	// patience is what is left of read_timeout; 0: none was set.
	patience time.Duration

	reader *reader
	asked  bool   // a part is on its way
	rest   []byte // read, and not yet given to the module
	err    error
}

// reader reads a part each time it is asked to. It ends when it is asked no
// more, or with the body; the last Read may outlive the invocation.
type reader struct {
	ask   chan struct{}
	parts chan part
}

type part struct {
	bytes []byte
	err   error
}

// Read waits for the body, or for the end of the invocation.
func (i *input) Read(p []byte) (int, error) {
	for len(i.rest) == 0 && i.err == nil {
		if n := i.buffered(); n > 0 {
			return i.direct(p[:min(n, len(p))])
		}
		i.wait(-1)
	}
	if len(i.rest) == 0 {
		return 0, i.err
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

// Poll implements wazero's Pollable: it tells whether Read would not wait. A
// negative timeout is none.
func (i *input) Poll(flag sys.Pflag, milliseconds int32) (bool, sys.Errno) {
	if flag != sys.POLLIN {
		return false, sys.ENOTSUP
	}
	if len(i.rest) > 0 || i.err != nil || i.buffered() > 0 {
		return true, 0
	}
	return i.wait(time.Duration(milliseconds) * time.Millisecond), 0
}

// buffered is how much the body returns without waiting; nobody asks while
// another goroutine may read it.
func (i *input) buffered() int {
	if i.asked {
		return 0
	}
	return i.body.Buffered()
}

func (i *input) direct(p []byte) (int, error) {
	n, err := i.body.Read(p)
	i.took(err)
	return n, i.err
}

// wait returns whether there is a part, or the end, before the timeout; a
// negative one is none.
func (i *input) wait(timeout time.Duration) bool {
	if !i.asked && i.body.Empty() { // while a part is on its way another goroutine counts
		i.err = io.EOF
		return true
	}
	i.call.watch.stop()
	defer i.call.watch.start()
	i.request()
	begun := time.Now()
	late, stopLate := after(i.patience, i.patience > 0)
	defer stopLate()
	passed, stopPassed := after(timeout, timeout >= 0)
	defer stopPassed()
	select {
	case part := <-i.reader.parts:
		i.asked, i.rest = false, part.bytes
		i.took(part.err)
	case <-passed:
	case <-late:
		i.call.stop(watchdog.ErrSlowBody)
		interrupt()
	case <-i.call.ctx.Done():
		interrupt()
	}
	if i.patience > 0 {
		i.patience = max(i.patience-time.Since(begun), time.Nanosecond)
	}
	return !i.asked
}

// after is a timer's channel, and how to stop it; nil if it is not wanted.
func after(d time.Duration, wanted bool) (<-chan time.Time, func()) {
	if !wanted {
		return nil, func() {}
	}
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// took keeps how the body ended. One that failed must not look like one that
// ended.
func (i *input) took(err error) {
	if err != nil && err != io.EOF {
		i.call.stop(fmt.Errorf("read request body: %w", err))
		interrupt()
	}
	i.err = err
}

func (i *input) request() {
	if i.asked {
		return
	}
	if i.reader == nil {
		i.reader = &reader{ask: make(chan struct{}, 1), parts: make(chan part, 1)}
		go i.reader.run(i.body, i.body.Part(readSize), i.call.ctx.Done())
	}
	i.asked = true
	i.reader.ask <- struct{}{}
}

func (r *reader) run(body io.Reader, size int, done <-chan struct{}) {
	buf := make([]byte, size)
	for {
		select {
		case <-done:
			return
		case <-r.ask:
		}
		n, err := body.Read(buf)
		r.parts <- part{buf[:n], err}
		if err != nil {
			return
		}
	}
}
