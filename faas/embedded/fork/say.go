package fork

import (
	"errors"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// failureOutput is how much of a failed process's output is in the log.
const failureOutput = 4 << 10

// sayBegin writes the lines that precede what the process says.
func (c *call) sayBegin() {
	text := watchdog.Forking
	if c.runner.Settings.WriteDebug {
		c.debug = c.runner.Log.Writer(c.instance)
		text += "\n" + watchdog.RequestLines(c.request)
	}
	c.runner.Log.Print(c.instance, text)
}

// sayEnd writes how the process ended.
func (c *call) sayEnd() {
	took := c.took()
	why := c.killedBy()
	switch {
	case why != nil:
		c.say(watchdog.Failed(why.Error()))
	case !c.succeeded():
		c.say(watchdog.Failed(c.exit()))
	case c.debug != nil:
		c.say(watchdog.Took(took))
	default:
		c.say(watchdog.Wrote(c.wrote.Load(), took))
	}
}

func (c *call) say(text string) { c.runner.Log.Print(c.instance, text) }

// sayKilling is for those who find an answer missing.
func (c *call) sayKilling(why error) {
	if !errors.Is(why, watchdog.ErrRemoved) {
		c.say(watchdog.Killing(c.runner.commandLine()))
	}
}

// sayOutput has the log show what a failed process said where its standard
// error is not there already.
func (c *call) sayOutput(output []byte) {
	if len(output) == 0 || c.debug != nil || c.errs != nil {
		return
	}
	w := c.runner.Log.Writer(c.instance)
	_, _ = w.Write(output[max(0, len(output)-failureOutput):])
	_ = w.Close()
}

// took is how long the process ran, valid once exited is closed.
func (c *call) took() time.Duration { return c.ended.Sub(c.began) }
