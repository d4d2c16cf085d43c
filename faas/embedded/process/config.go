package process

import (
	"time"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

// Config says what is run and how patiently.
type Config struct {
	Command child.Command // PORT and http_port are added to Env
	Spawner *child.Spawner
	Ports   *Ports
	Log     *child.Log
	// Limit makes a control group for a replica, whose processes, one after the
	// other, are in it. Nil: there is none.
	Limit func() (*cgroup.Group, error)
	// Released is called for every call after its replica was given back. It
	// must not call the Group. Nil: nothing is.
	Released func()
	// Changed is called when the number of ready replicas has changed. It must
	// not call the Group. Nil: nothing is.
	Changed func()
	// Ready is asked until it says that a process can be called, and then on:
	// one that says no gets no calls until it says yes. Without a path a
	// connection is enough.
	Ready Probe
	// Health is asked once a process is ready; one that says no is ended and
	// started again. Without a path nobody is asked.
	Health Probe
	// ReadyTimeout is how long a process may take to become ready, counted from
	// the first question, before it is killed and started again.
	ReadyTimeout time.Duration
	// Drain is how long a replica that is not wanted any more may finish its calls.
	Drain time.Duration
	// Grace is the time between SIGTERM and SIGKILL.
	Grace time.Duration
	// MinBackoff is the pause before the first restart; it doubles with each
	// one up to MaxBackoff. A process that ran for MaxBackoff starts from
	// MinBackoff again.
	MinBackoff, MaxBackoff time.Duration
}

// patience is the longest pause before a restart that a call waits through.
const patience = time.Second
