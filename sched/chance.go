package sched

import "math"

// never is the prospect where there is no room or not the function.
func never() Prospect { return Prospect{0, math.Inf(1)} }

// chance is that of an invocation which has left seconds to be on time at a
// peer of that wait (rule 5): as far as the belief is fresh, by the wait believed;
// as far as it is not, the peer is like any, idle or as busy as the busy are.
func (m *climate) chance(b *belief, l law, left float64) float64 {
	fresh := l.after(b.reported, left)
	if b.fresh > 0.999 {
		return fresh
	}
	idle := m.idle
	busy := m.wait / max(1-idle, 0.01)
	stale := idle*l.within(left) + (1-idle)*l.after(busy+b.sent, left)
	return b.fresh*fresh + (1-b.fresh)*stale
}
