package fork

import (
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// start opens the pipes and starts the process on them.
func (f *Runner) start(r *faas.Request, env []string) (*call, error) {
	in, feed, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	output, out, err := os.Pipe()
	if err != nil {
		closeAll(in, feed)
		return nil, err
	}
	c := &call{
		runner: f, request: r, body: watchdog.NewInput(r), input: feed, output: output,
		began: time.Now(), exited: make(chan struct{}),
	}
	err = c.run(f.Command, env, in, out)
	closeAll(in, out)
	if err != nil {
		closeAll(feed, output)
		return nil, err
	}
	return c, nil
}

// run starts the process. Its standard error is the answer's too, or the log's.
func (c *call) run(cmd child.Command, env []string, in, out *os.File) error {
	cmd.Env = append(slices.Clip(cmd.Env), env...)
	cmd.Files = [3]*os.File{in, out, out}
	if !c.runner.Settings.CombineOutput {
		errs, err := c.runner.Log.Pipe()
		if err != nil {
			return err
		}
		c.errs, cmd.Files[2] = errs, errs.File
	}
	p, err := c.runner.Spawner.Start(cmd)
	if err != nil {
		if c.errs != nil {
			c.errs.End()
		}
		return err
	}
	c.process, c.instance = p, strconv.Itoa(p.PID())
	c.sayBegin()
	if c.errs != nil {
		c.errs.Begin(c.instance)
	}
	return nil
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
