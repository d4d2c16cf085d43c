package wasi

import (
	"errors"
	"fmt"
	"io"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// answer waits until the header can be sent and makes the Response.
func (c *call) answer() (*faas.Response, error) {
	contentType, streams := watchdog.ContentType(c.runner.cfg.Settings.ContentType, c.request.Header)
	until := watchdog.HoldBack
	if streams {
		until = 1
	}
	if c.output.await(until) {
		return c.respond(200, contentType, -1), nil
	}
	<-c.exited
	switch {
	case errors.Is(c.killed, watchdog.ErrTimeout):
		return c.fail(408, watchdog.TimeoutText), nil
	case errors.Is(c.killed, watchdog.ErrSlowBody):
		return c.fail(400, c.killed.Error()+"\n"), nil
	case c.killed != nil:
		return nil, fmt.Errorf("call function: %w", c.killed)
	case c.exit != "":
		output := c.output.rest()
		c.sayOutput(output)
		return c.fail(500, c.exit+"\n"+output), nil
	}
	return c.respond(200, contentType, c.output.Buffered()), nil
}

// fail answers with text in place of the output.
func (c *call) fail(status int, text string) *faas.Response {
	c.output.replace(text)
	c.end = io.EOF
	return c.respond(status, watchdog.Plain, len(text))
}

// respond begins the answer; with a size the module has ended.
func (c *call) respond(status int, contentType string, size int) *faas.Response {
	resp := &faas.Response{Status: status, Size: int64(size), Body: c, Trailer: func() faas.Header { return c.trailer }}
	if contentType != "" {
		resp.Header.Set("Content-Type", contentType)
	}
	if size >= 0 {
		resp.Header.Set(watchdog.DurationField, watchdog.Seconds(c.took))
	}
	if c.request.Method == "HEAD" {
		resp.Body = unread{c}
	}
	return resp
}

// unread is the body of an answer that has none.
type unread struct{ io.Closer }

func (unread) Read([]byte) (int, error) { return 0, io.EOF }

// Read returns output as it comes.
func (c *call) Read(p []byte) (int, error) {
	if n := c.output.take(p); n > 0 || len(p) == 0 {
		return n, nil
	}
	if c.end == nil {
		if c.output.await(1) {
			return c.output.take(p), nil
		}
		<-c.exited
		c.end = c.verdict()
	}
	return 0, c.end
}

// Buffered returns how many bytes Read returns without waiting.
func (c *call) Buffered() int { return c.output.Buffered() }

// verdict says whether the output is whole.
func (c *call) verdict() error {
	defer func() { c.trailer.Add(watchdog.DurationField, watchdog.Seconds(c.took)) }()
	if c.killed != nil {
		c.trailer = faas.Header{{Name: watchdog.ExitTrailer, Value: c.killed.Error()}}
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, c.killed)
	}
	if c.exit != "" {
		c.trailer = faas.Header{{Name: watchdog.ExitTrailer, Value: c.exit}}
		return fmt.Errorf("%w: %s", io.ErrUnexpectedEOF, c.exit)
	}
	return io.EOF
}

var errClosed = errors.New("answer was closed")

// Close ends the module if it still runs, and waits for it.
func (c *call) Close() error {
	c.once.Do(func() {
		c.input.body.Stop()
		c.unbind()
		<-c.exited
		c.sayEnd()
		if c.release != nil {
			c.release()
		}
	})
	return nil
}

// unbind ends the watch over the context and the timeout, and the module.
func (c *call) unbind() {
	c.stop(errClosed)
	if c.timer != nil {
		c.timer.Stop()
	}
}
