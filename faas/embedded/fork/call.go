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
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// linger is how long output is awaited that somebody outside the killed group
// may hold open.
const linger = 250 * time.Millisecond

// call is one process and, as the Response's Body, its output.
type call struct {
	runner   *Runner
	request  *faas.Request
	process  *child.Process
	instance string // in the log
	body     *watchdog.Input
	input    *os.File
	output   *os.File
	errs     *child.Output     // nil: standard error is in output
	debug    *child.LineWriter // nil: the answer is not in the log
	began    time.Time
	ended    time.Time     // set before exited is closed
	exited   chan struct{} // closed when the process has ended

	unbind func() // ends the watch over the context and the timeout
	killed atomic.Pointer[error]
	wrote  atomic.Int64 // output that was read

	held    []byte // output read before the header was sent
	err     error  // what Read returns behind held
	trailer faas.Header
	release func()
	once    sync.Once
}

// watch kills the process when ctx ends or exec_timeout passes.
func (c *call) watch(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { c.kill(context.Cause(ctx)) })
	c.unbind = func() { stop() }
	if timeout := c.runner.Settings.ExecTimeout; timeout > 0 {
		timer := time.AfterFunc(timeout, func() { c.kill(watchdog.ErrTimeout) })
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
	if c.killed.CompareAndSwap(nil, &why) {
		c.sayKilling(why)
	}
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
func (c *call) feed() {
	defer func() { _ = c.input.Close() }()
	body := &timed{body: c.body, timeout: c.runner.Settings.ReadTimeout, late: func() { c.kill(watchdog.ErrSlowBody) }}
	_, _ = io.Copy(struct{ io.Writer }{c.input}, body)
	if err := c.body.Err(); err != nil {
		c.kill(fmt.Errorf("read request body: %w", err))
	}
}

// await ends with the process.
func (c *call) await() {
	<-c.process.Done()
	c.ended = time.Now()
	close(c.exited)
	_ = c.output.SetReadDeadline(time.Now().Add(linger))
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
	n, err := c.readOutput(p)
	c.wrote.Add(int64(n))
	if c.debug != nil {
		_, _ = c.debug.Write(p[:n])
		if err != nil {
			_ = c.debug.Close()
		}
	}
	return n, err
}

func (c *call) readOutput(p []byte) (int, error) {
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
	defer func() { c.trailer.Add(watchdog.DurationField, watchdog.Seconds(c.took())) }()
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

func (c *call) exit() string { return c.process.Exit() }

// Close ends the process if it still runs, and waits for it.
func (c *call) Close() error {
	c.once.Do(func() {
		c.body.Stop()
		c.unbind()
		c.runner.leave(c)
		c.process.Kill()
		<-c.exited
		closeAll(c.input, c.output)
		if c.errs != nil {
			c.errs.End()
		}
		c.sayEnd()
		if c.release != nil {
			c.release()
		}
	})
	return nil
}
