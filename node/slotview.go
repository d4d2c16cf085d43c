package node

import (
	"math"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// load is this node's account of itself, its Speed and rates left out.
func (s *slots) load() sched.Load {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sched.Load{Wait: s.wait(s.clock()), Running: s.serving(), Queued: s.queue.Len(), Servers: int(s.servers)}
}

// serving is how many servers are taken, for those who reckon with that: ten that
// are light must not make them believe that none is free. It is called with mu held.
func (s *slots) serving() int { return min(s.running, int(math.Ceil(s.busy-weightSlack))) }

// holding counts what runs.
func (s *slots) holding() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// opened counts what runs or streams.
func (s *slots) opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// view fills in what a policy sees of this node for an invocation of that need.
func (s *slots) view(self *sched.Self, n *need) { s.viewAt(self, n, s.clock()) }

func (s *slots) viewAt(self *sched.Self, n *need, now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := s.wait(now)
	self.Load.Wait, self.Line = wait, line{s}
	self.Load.Running, self.Load.Queued, self.Load.Servers = s.serving(), s.queue.Len(), int(s.servers)
	open := s.admissible(n.returned) == nil
	self.Free = open && s.queue.Len() == 0 && s.fits(n.weight)
	self.Room = open && s.queue.Room(n.entry(now, wait)) == nil
	if !s.hasFree() {
		self.Residual = s.runs.Residual(now)
	}
}

// wait is the time until a newcomer would start, with mu held.
func (s *slots) wait(now time.Duration) time.Duration {
	if s.queue.Len() == 0 && s.hasFree() {
		return 0
	}
	return s.runs.Residual(now) + s.queue.ExpectedWait()
}

func (s *slots) hasFree() bool { return s.busy < s.servers-weightSlack }

// isIdle tells whether a server is free and nothing waits.
func (s *slots) isIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.Len() == 0 && s.hasFree() && !s.closing
}

// line shows the queue to a policy while it decides.
type line struct{ s *slots }

// Ahead implements sched.Line.
func (l line) Ahead(now, deadline time.Duration) time.Duration {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.s.queue.Ahead(now, deadline)
}
