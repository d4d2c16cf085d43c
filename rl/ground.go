package rl

import "github.com/p2pfaas/p2pfaas/sched"

// ground is the default, which learning stands on: it decides as long as
// nothing is known, and what is not about deciding (the order of the queue, asking for
// work, reports) is left to it.
type ground interface {
	sched.Weigher
	sched.Orderer
	sched.Notified
	sched.Puller
	sched.Describer
}

const groundName = "spread"

// newGround makes it, its parameters among the learning policy's own.
func newGround(s *sched.Settings) ground { return sched.Policies()[groundName](s).(ground) }
