package wasi

import (
	"errors"

	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// sayBegin opens what of the invocation goes to the log.
func (c *call) sayBegin() {
	log := c.runner.cfg.Log
	if c.runner.cfg.Settings.WriteDebug {
		c.debug = log.Writer(c.name)
		c.say(watchdog.RequestLines(c.request))
	}
	if !c.runner.cfg.Settings.CombineOutput {
		c.errs = log.Writer(c.name)
	}
}

// sayRest writes lines that the module did not end.
func (c *call) sayRest() {
	if c.debug != nil {
		_ = c.debug.Close()
	}
	if c.errs != nil {
		_ = c.errs.Close()
	}
}

// sayEnd writes how the module ended.
func (c *call) sayEnd() {
	switch {
	case c.killed != nil && !errors.Is(c.killed, watchdog.ErrRemoved):
		c.say(watchdog.Killing(c.runner.cfg.Name) + "\n" + watchdog.Failed(c.killed.Error()))
	case c.killed != nil:
		c.say(watchdog.Failed(c.killed.Error()))
	case c.exit != "":
		c.say(watchdog.Failed(c.exit))
	case c.debug != nil:
		c.say(watchdog.Took(c.took))
	default:
		c.say(watchdog.Wrote(c.output.written(), c.took))
	}
}

func (c *call) say(text string) { c.runner.cfg.Log.Print(c.name, text) }

// failureOutput is how much of a failed module's output is in the log.
const failureOutput = 4 << 10

// sayOutput has the log show what a failed module said where its standard error
// is not there already.
func (c *call) sayOutput(output string) {
	if output == "" || c.debug != nil || c.errs != nil {
		return
	}
	w := c.runner.cfg.Log.Writer(c.name)
	_, _ = w.Write([]byte(output[max(0, len(output)-failureOutput):]))
	_ = w.Close()
}
