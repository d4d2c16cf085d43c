package wasi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// call is one instance and, as the Response's Body, its output.
type call struct {
	runner  *Runner
	request *faas.Request
	ctx     *guestContext
	stop    context.CancelCauseFunc // the first reason counts
	timer   *time.Timer             // of exec_timeout; nil without
	input   input
	output  *output
	errs    *child.LineWriter // nil: standard error is in output
	debug   *child.LineWriter // nil: the answer is not in the log
	name    string            // in the log
	watch   stopwatch
	exited  chan struct{} // closed when nothing of the module runs any more

	// Set before exited is closed; killed and exit are empty if the module succeeded.
	killed error
	exit   string
	took   time.Duration

	trailer faas.Header
	end     error // what Read returns behind the output
	release func()
	once    sync.Once
}

func newCall(ctx context.Context, r *Runner, req *faas.Request, env []string) *call {
	ctx, stop := context.WithCancelCause(ctx)
	c := &call{
		runner: r, request: req, stop: stop,
		ctx:    &guestContext{experimental.WithMemoryAllocator(ctx, &r.memory), env},
		output: newOutput(), exited: make(chan struct{}),
	}
	c.input = input{call: c, body: watchdog.NewInput(req), patience: r.cfg.Settings.ReadTimeout}
	if timeout := r.cfg.Settings.ExecTimeout; timeout > 0 {
		c.timer = time.AfterFunc(timeout, func() { stop(watchdog.ErrTimeout) })
	}
	return c
}

// run is the module's whole life.
func (c *call) run(code *code) {
	defer c.runner.leave(c)
	defer close(c.exited)
	defer c.output.end()
	begun := time.Now()
	c.sayBegin()
	cfg := c.runner.base.WithStdin(&c.input).WithStdout(c).WithStderr(c.errors()).WithNanosleep(c.sleep)
	c.watch.start()
	instance, err := code.runtime.InstantiateModule(c.ctx, code.compiled, cfg)
	if instance != nil {
		c.free(instance)
	}
	c.watch.stop()
	c.took = time.Since(begun)
	c.judge(err)
	c.sayRest()
}

// free closes the instance's files and gives back its memory. Of one whose context
// has ended wazero may have noted that it is closed, and left the rest to who calls
// it next: Close does nothing then, and neither does such a call run anything.
func (c *call) free(instance api.Module) {
	_ = instance.Close(context.Background())
	if c.ctx.Err() != nil {
		_, _ = instance.ExportedFunction(startName).Call(c.ctx)
	}
}

// errors is where standard error goes.
func (c *call) errors() io.Writer {
	if c.errs != nil {
		return c.errs
	}
	return c
}

// judge tells apart a module that ended and one that was ended.
func (c *call) judge(err error) {
	var exit *sys.ExitError
	switch {
	case err == nil:
	case c.ctx.Err() != nil:
		c.killed = context.Cause(c.ctx)
	case errors.As(err, &exit):
		c.exit = fmt.Sprintf("exit status %d", exit.ExitCode())
	default:
		trap := strings.TrimPrefix(err.Error(), "module[] function["+startName+"] failed: ")
		c.exit, _, _ = strings.Cut(trap, "\n")
		c.say(trap)
	}
}

// interrupt unwinds the module from a function of the host that cannot go on,
// as its own exit does. It must not see a failed read or a short sleep: it might
// take it for the end of its work.
func interrupt() { panic(sys.NewExitError(sys.ExitCodeContextCanceled)) }

// sleep is the module's.
func (c *call) sleep(ns int64) {
	c.watch.stop()
	defer c.watch.start()
	timer := time.NewTimer(time.Duration(ns))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
		interrupt()
	}
}

// Write is the module's standard output. It waits for space for all of p.
func (c *call) Write(p []byte) (int, error) {
	if c.debug != nil {
		_, _ = c.debug.Write(p)
	}
	done := c.output.put(p)
	if done == len(p) {
		return done, nil
	}
	c.watch.stop()
	defer c.watch.start()
	for done < len(p) {
		select {
		case <-c.output.space:
			done += c.output.put(p[done:])
		case <-c.ctx.Done():
			interrupt()
		}
	}
	return done, nil
}
