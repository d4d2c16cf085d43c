package process

import (
	"time"

	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

// Config says what is run and how patiently.
type Config struct {
	Command child.Command // PORT and http_port are added to Env
	Spawner *child.Spawner
	Ports   *Ports
	Log     *child.Log
	// Released is called for every call after its replica was given back. It
	// must not call the Group. Nil: nothing is.
	Released func()
	// ReadyPath is asked by GET until it answers 2xx or 3xx. Empty: a
	// connection is enough.
	ReadyPath string
	// ReadyTimeout is how long a process may take to become ready before it is
	// killed and started again.
	ReadyTimeout time.Duration
	// Grace is the time between SIGTERM and SIGKILL.
	Grace time.Duration
	// MinBackoff is the pause before the first restart; it doubles with each
	// one up to MaxBackoff. A process that ran for MaxBackoff starts from
	// MinBackoff again.
	MinBackoff, MaxBackoff time.Duration
}

// patience is the longest pause before a restart that a call waits through.
const patience = time.Second
