package node

import "github.com/p2pfaas/p2pfaas/sched"

// resize changes the capacity while work runs and waits. What runs stays, also
// beyond the new number of servers; what waits does too.
func (s *slots) resize(servers int, queue sched.QueueConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue.Servers = servers
	s.servers = float64(servers)
	s.queue.Reconfigure(queue)
	s.next(s.clock())
}
