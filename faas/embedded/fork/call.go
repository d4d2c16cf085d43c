package fork

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

// linger is how long output is awaited that somebody outside the killed group
// may hold open.
const linger = 250 * time.Millisecond

var (
	errTimeout = errors.New("exec_timeout passed")
	errRemoved = errors.New("function was removed")
)

// call is one process and, as the Response's Body, its output.
type call struct {
	runner  *Runner
	process *child.Process
	input   *os.File
	output  *os.File
	logged  func()
	exited  chan struct{} // closed when the process has ended

	unbind func() // ends the watch over the context and the timeout
	killed atomic.Pointer[error]
	// closed: no further Read of the request's body is to begin.
	closed atomic.Bool

	held    []byte // output read before the header was sent
	err     error  // what Read returns behind held
	trailer faas.Header
	release func()
	once    sync.Once
}

// watch kills the process when ctx ends or the timeout passes.
func (c *call) watch(ctx context.Context, timeout time.Duration) {
	stop := context.AfterFunc(ctx, func() { c.kill(context.Cause(ctx)) })
	c.unbind = func() { stop() }
	if timeout > 0 {
		timer := time.AfterFunc(timeout, func() { c.kill(errTimeout) })
		c.unbind = func() { stop(); timer.Stop() }
	}
}

// kill ends the process; the first reason counts, and none does once the
// process has ended by itself.
func (c *call) kill(why error) {
	select {
	case <-c.process.Done():
		return
	default:
	}
	c.killed.CompareAndSwap(nil, &why)
	c.process.Kill()
}

func (c *call) killedBy() error {
	if why := c.killed.Load(); why != nil {
		return *why
	}
	return nil
}

// feed writes the request's body to the process. It ends with the body, with a
// process that reads no more, or with a Read that returns after Close.
func (c *call) feed(r *faas.Request) {
	defer func() { _ = c.input.Close() }()
	if r.Body == nil || r.Size == 0 {
		return
	}
	body := &input{r: r.Body, left: r.Size, closed: &c.closed}
	_, _ = io.Copy(struct{ io.Writer }{c.input}, body)
	if body.err != nil {
		c.kill(fmt.Errorf("read request body: %w", body.err))
	}
}

// await ends with the process.
func (c *call) await() {
	<-c.process.Done()
	close(c.exited)
	_ = c.output.SetReadDeadline(time.Now().Add(linger))
}

// answer waits until the header can be sent and makes the Response.
func (c *call) answer(r *faas.Request, streaming bool) (*faas.Response, error) {
	until := HoldBack
	if streaming {
		until = 1
	}
	if err := c.hold(until); err == nil {
		return c.respond(r, 200, -1), nil
	}
	<-c.exited
	why := c.killedBy()
	switch {
	case errors.Is(why, errTimeout):
		c.held, c.err = []byte("Killed process.\n"), io.EOF
		return c.respond(r, 408, len(c.held)), nil
	case why != nil:
		return nil, fmt.Errorf("call function: %w", why)
	case !c.succeeded():
		c.held, c.err = append([]byte(c.exit()+"\n"), c.held...), io.EOF
		return c.respond(r, 500, len(c.held)), nil
	}
	return c.respond(r, 200, len(c.held)), nil
}

func (c *call) respond(r *faas.Request, status, size int) *faas.Response {
	resp := &faas.Response{Status: status, Size: int64(size), Body: c, Trailer: func() faas.Header { return c.trailer }}
	if r.Method == "HEAD" {
		c.held, c.err = nil, io.EOF
	}
	return resp
}

// hold keeps at least n bytes of output, or returns why there are fewer.
func (c *call) hold(n int) error {
	buf := make([]byte, min(HoldBack, 8<<10))
	for len(c.held) < n {
		got, err := c.next(buf)
		c.held = append(c.held, buf[:got]...)
		if err != nil {
			c.err = err
			return err
		}
	}
	return nil
}

// next reads output, and ends it once the process has ended and nothing came
// for linger.
func (c *call) next(p []byte) (int, error) {
	n, err := c.output.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// The deadline may have passed while the reader was elsewhere.
		_ = c.output.SetReadDeadline(time.Now().Add(linger))
		n, err = c.output.Read(p)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}

// Read returns output as it comes.
func (c *call) Read(p []byte) (int, error) {
	if len(c.held) > 0 {
		n := copy(p, c.held)
		c.held = c.held[n:]
		return n, nil
	}
	if c.err == nil {
		n, err := c.next(p)
		if err == nil || n > 0 {
			return n, nil
		}
		c.err = c.end(err)
	}
	return 0, c.err
}

// Buffered returns how many bytes Read returns without waiting.
func (c *call) Buffered() int { return len(c.held) }

// end says whether the output is whole.
func (c *call) end(err error) error {
	if err != io.EOF {
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
	}
	// A process may close its output and go on; how it ends still counts.
	<-c.exited
	return c.verdict()
}

func (c *call) verdict() error {
	if why := c.killedBy(); why != nil {
		c.trailer = faas.Header{{Name: ExitTrailer, Value: why.Error()}}
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, why)
	}
	if !c.succeeded() {
		c.trailer = faas.Header{{Name: ExitTrailer, Value: c.exit()}}
		return fmt.Errorf("%w: %s", io.ErrUnexpectedEOF, c.exit())
	}
	return io.EOF
}

func (c *call) succeeded() bool { s := c.process.State(); return s != nil && s.Success() }

func (c *call) exit() string {
	if s := c.process.State(); s != nil {
		return s.String()
	}
	return "exit status unknown"
}

// Close ends the process if it still runs, and waits for it.
func (c *call) Close() error {
	c.once.Do(func() {
		c.closed.Store(true)
		c.unbind()
		c.runner.leave(c)
		c.process.Kill()
		<-c.exited
		closeAll(c.input, c.output)
		c.logged()
		if c.release != nil {
			c.release()
		}
	})
	return nil
}

// input reads a request's body up to its size, and keeps why it failed.
type input struct {
	r      io.Reader
	left   int64 // -1: until EOF
	closed *atomic.Bool
	err    error
}

func (i *input) Read(p []byte) (int, error) {
	if i.left == 0 || i.closed.Load() {
		return 0, io.EOF
	}
	if i.left > 0 {
		p = p[:min(int64(len(p)), i.left)]
	}
	n, err := i.r.Read(p)
	if i.left > 0 {
		i.left -= int64(n)
	}
	if err == io.EOF && i.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		i.err = err
	}
	return n, err
}
