package fork

import (
	"errors"
	"fmt"
	"io"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// answer waits until the header can be sent and makes the Response.
func (c *call) answer() (*faas.Response, error) {
	contentType, streaming := watchdog.ContentType(c.runner.Settings.ContentType, c.request.Header)
	until := HoldBack
	if streaming {
		until = 1
	}
	if err := c.hold(until); err == nil {
		return c.respond(200, contentType, -1), nil
	}
	<-c.exited
	why := c.killedBy()
	switch {
	case errors.Is(why, watchdog.ErrTimeout):
		return c.fail(408, watchdog.TimeoutText), nil
	case errors.Is(why, watchdog.ErrSlowBody):
		return c.fail(400, why.Error()+"\n"), nil
	case why != nil:
		return nil, fmt.Errorf("call function: %w", why)
	case !c.succeeded():
		c.sayOutput(c.held)
		return c.fail(500, c.exit()+"\n"+string(c.held)), nil
	}
	return c.respond(200, contentType, len(c.held)), nil
}

// fail answers with text in place of the output.
func (c *call) fail(status int, text string) *faas.Response {
	c.held, c.err = []byte(text), io.EOF
	return c.respond(status, watchdog.Plain, len(c.held))
}

// respond begins the answer; with a size the process has ended.
func (c *call) respond(status int, contentType string, size int) *faas.Response {
	resp := &faas.Response{Status: status, Size: int64(size), Body: c, Trailer: func() faas.Header { return c.trailer }}
	if contentType != "" {
		resp.Header.Set("Content-Type", contentType)
	}
	if size >= 0 {
		resp.Header.Set(watchdog.DurationField, watchdog.Seconds(c.took()))
	}
	if c.request.Method == "HEAD" {
		c.held, c.err = nil, io.EOF
	}
	return resp
}
