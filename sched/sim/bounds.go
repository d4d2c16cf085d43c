package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// The names of the bounds.
const (
	boundPerfect = "perfect"
	boundPooled  = "pooled"
)

// bound is what bounds have in common.
type bound struct {
	w      *world
	expire bool
}

func (b *bound) bind(s *sched.Settings) {
	s.Bool(&b.expire, "expire", false, "drop what waits and can no longer be on time")
}

func (b *bound) expires() bool { return b.expire }

// expirer is a bound, which can be had with expiry or without.
type expirer interface{ expires() bool }

// perfect knows how many are at each node and under way to it, at no cost, and
// sends each invocation on arrival to where these let expect the soonest answer.
// It is the textbooks' join the shortest queue, with distance and unequal speeds
// reckoned in: a bound for all that decide once, by counts.
type perfect struct {
	bound
	admit float64
	mix   moments
}

// perfect is a sched.Constructor for this world.
func (w *world) perfect(s *sched.Settings) sched.Policy {
	p := &perfect{bound: bound{w: w}, mix: w.mixture()}
	p.bind(s)
	s.Float(&p.admit, "admit", 0, 0, 1, "refuse what has less than this chance to be on time")
	return p
}

// Describe implements sched.Describer.
func (p *perfect) Describe() string {
	return fmt.Sprintf("perfect: where the answer is expected soonest, knowing all queues (expire %t, admit %v)", p.expire, p.admit)
}

// Decide implements sched.Policy.
func (p *perfect) Decide(v *sched.View, r *sched.Request) sched.Decision {
	if r.Hops > 0 {
		return runOrRefuse(v)
	}
	self := &p.w.nodes[number(v.Self.ID)]
	best, finish := p.soonest(v, self, seconds(v.Self.Service.Mean)/v.Self.Load.Speed)
	switch {
	case best == nil:
		return sched.Decision{Action: sched.Refuse, Reason: sched.ReasonFull}
	case p.admit > 0 && r.Deadline > 0 && p.chance(self, best, r) < p.admit:
		return sched.Decision{Action: sched.Refuse, Reason: sched.ReasonHopeless}
	case best == self:
		return sched.Decision{Action: sched.Run, Reason: sched.ReasonHereSooner, Score: sched.Score{Here: finish}}
	}
	return sched.Decision{Action: sched.Forward, Peer: best.id, Reason: sched.ReasonThereSooner, Score: sched.Score{There: finish}}
}

func runOrRefuse(v *sched.View) sched.Decision {
	if v.Self.Free || v.Self.Room {
		return sched.Decision{Action: sched.Run, Reason: sched.ReasonHopLimit}
	}
	return sched.Decision{Action: sched.Refuse, Reason: sched.ReasonFull}
}

// soonest is the node where an answer is expected first, this one if it is
// among them, else one of several by chance; nil if all are full.
func (p *perfect) soonest(v *sched.View, self *node, service float64) (best *node, finish float64) {
	finish = math.Inf(1)
	if !self.full() {
		best, finish = self, p.wait(self)+service/self.speed
	}
	equals := 0
	for i := range p.w.nodes {
		n := &p.w.nodes[i]
		if n == self || n.dead || n.full() {
			continue
		}
		f := p.wait(n) + service/n.speed + seconds(2*p.w.delay(self, n))
		switch {
		case f < finish:
			best, finish, equals = n, f, 1
		case f == finish && best != self:
			if equals++; v.Rand.IntN(equals) == 0 {
				best = n
			}
		}
	}
	return best, finish
}

func (n *node) total() int { return len(n.running) + n.queue.Len() + int(n.inbound) }

func (n *node) full() bool { return n.sinkhole || n.total() >= n.servers+n.room }

// wait is until one more would start at n, by counts.
func (p *perfect) wait(n *node) float64 {
	return float64(n.ahead()) * p.mix.mean / n.speed / float64(n.servers)
}

// ahead is how many must end before one more starts.
func (n *node) ahead() int { return max(0, n.total()-n.servers+1) }

// chance is that of being on time at n.
func (p *perfect) chance(self, n *node, r *sched.Request) float64 {
	k, c := float64(n.ahead()), float64(n.servers)*n.speed
	own := &p.w.laws[int(r.TaskType)]
	mean := k*p.mix.mean/c + own.mean*1e-9/n.speed
	variance := k*p.mix.variance/(c*c) + math.Pow(own.spread*own.mean*1e-9/n.speed, 2)
	left := seconds(r.Deadline - 2*p.w.delay(self, n))
	return gammaBelow(left, mean, variance)
}

// gammaBelow is the chance that a gamma variate of these moments is below x,
// by the approximation of Wilson and Hilferty: its cube root is nearly normal.
func gammaBelow(x, mean, variance float64) float64 {
	switch {
	case x <= 0:
		return 0
	case variance <= 0:
		if x >= mean {
			return 1
		}
		return 0
	}
	k := mean * mean / variance
	z := (math.Cbrt(x/mean) - 1 + 1/(9*k)) * 3 * math.Sqrt(k)
	return 0.5 * math.Erfc(-z/math.Sqrt2)
}

// moments are of a service at speed 1, whatever the class, in seconds.
type moments struct{ mean, variance float64 }

func (w *world) mixture() moments {
	var shares, mean, square float64
	for i := range w.classes {
		share, m := w.classes[i].Share, w.laws[i].mean*1e-9
		shares += share
		mean += share * m
		square += share * m * m * (1 + w.laws[i].spread*w.laws[i].spread)
	}
	mean /= shares
	return moments{mean: mean, variance: square/shares - mean*mean}
}

func seconds(d time.Duration) float64 { return d.Seconds() }

// pooled serves at the one node that has all servers.
type pooled struct{ bound }

func (w *world) pooled(s *sched.Settings) sched.Policy {
	p := &pooled{bound{w: w}}
	p.bind(s)
	return p
}

// Describe implements sched.Describer.
func (p *pooled) Describe() string {
	return fmt.Sprintf("pooled: one queue for all servers, without a network (expire %t)", p.expire)
}

// Decide implements sched.Policy.
func (p *pooled) Decide(v *sched.View, _ *sched.Request) sched.Decision { return runOrRefuse(v) }

// pool moves all servers and places to wait to the first node.
func (w *world) pool() error {
	first := &w.nodes[0]
	for i := range w.nodes[1:] {
		n := &w.nodes[1+i]
		if n.speed != first.speed {
			return fmt.Errorf("%w: nodes of unequal speed cannot be pooled", ErrScenario)
		}
		first.servers += n.servers
		first.room += n.room
		n.servers, n.room = 0, 0
	}
	if len(w.sc.Events) > 0 {
		return fmt.Errorf("%w: what happens to nodes cannot happen to a pool", ErrScenario)
	}
	return nil
}
