package sched

import (
	"fmt"
	"math/rand/v2"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	variantLeast    = "least"
	variantUpstream = "upstream"
)

// powerOfN probes f random neighbours when this node is loaded, and forwards
// to the least loaded of them if that is less loaded than this node. Load is
// running and queued invocations. It needs no reports, so it is good where they are
// old; each probe costs a round trip before the invocation moves.
//
// It is LL-PS(F, T) of P2PFaaS: Beraldi, Proietti Mattia, "Power of random
// choices made efficient for fog computing", IEEE Transactions on Cloud Computing,
// 2020. Variant upstream does what P2PFaaS's code does, contrary to the paper: if any
// probed peer is less loaded, forward to a random one of those not more
// loaded. Its experiments ran with f=1, loss=true, hops=1.
//
// A probe that was not answered says nothing: it never counts as a load of 0.
// For a function not deployed here it probes whatever the load, and again, while
// rounds are left, if nobody answered.
type powerOfN struct {
	fanout    int
	threshold int
	loss      bool
	hops      int
	variant   string
	// runningOnly leaves what waits out of the load.
	runningOnly bool

	probes []peer.ID
	chosen []loaded
}

// loaded is a peer and how many invocations it has in its care.
type loaded struct {
	id   peer.ID
	load int
}

func newPowerOfN(s *Settings) Policy {
	p := &powerOfN{}
	p.bind(s)
	return p
}

func (p *powerOfN) bind(s *Settings) {
	s.Int(&p.fanout, "f", 2, 1, 64, "fan-out: neighbours probed at a time")
	s.Int(&p.threshold, "t", -1, -1, 1<<20, "load below which it runs here without a probe; -1 is the number of servers")
	s.Bool(&p.loss, "loss", false, "refuse what would have to wait here")
	s.Int(&p.hops, "hops", 1, 1, 16, "forwards after which an invocation stays where it is")
	s.Choice(&p.variant, "variant", []string{variantLeast, variantUpstream},
		"forward to the least loaded probed peer, or to a random one not more loaded than here")
}

func (p *powerOfN) own(v *View) int {
	if p.runningOnly {
		return v.Self.Load.Running
	}
	return v.Self.Load.Total()
}

func (p *powerOfN) theirs(n *Neighbour) int {
	if p.runningOnly {
		return n.Load.Running + n.OwnSends
	}
	return n.Queue()
}

// Describe implements Describer.
func (p *powerOfN) Describe() string {
	return fmt.Sprintf("power-of-n: probe %d neighbours from a load of %d on and forward if less loaded "+
		"(loss %t, hops %d, variant %s)", p.fanout, p.threshold, p.loss, p.hops, p.variant)
}

// Decide implements Policy.
func (p *powerOfN) Decide(v *View, r *Request) Decision {
	switch {
	case v.Self.Deployed && r.Nested:
		return Decision{Action: Run, Reason: ReasonNested}
	case v.Self.Deployed && p.own(v) < p.limit(v):
		return p.here(v, ReasonBelowThreshold)
	case r.Hops >= p.hops:
		return p.here(v, ReasonHopLimit)
	case r.Round == 0:
		return p.probe(v, r)
	}
	p.answered(v, r)
	if len(p.chosen) == 0 {
		return p.unanswered(v, r)
	}
	return p.choose(v)
}

func (p *powerOfN) limit(v *View) int {
	if p.threshold < 0 {
		return max(1, v.Self.Load.Servers)
	}
	return p.threshold
}

func (p *powerOfN) here(v *View, why Reason) Decision {
	if p.loss && v.Self.Deployed && !v.Self.Free {
		return Decision{Action: Refuse, Reason: ReasonFull}
	}
	return stay(v, why)
}

// probe asks random neighbours, each at most once.
func (p *powerOfN) probe(v *View, r *Request) Decision {
	p.chosen = p.chosen[:0]
	for i := range v.Neighbours {
		p.consider(v, r, &v.Neighbours[i])
	}
	if len(p.chosen) == 0 {
		return p.here(v, ReasonOnlyHere)
	}
	p.probes = p.probes[:0]
	for i := range min(p.fanout, len(p.chosen)) {
		j := i + v.Rand.IntN(len(p.chosen)-i)
		p.chosen[i], p.chosen[j] = p.chosen[j], p.chosen[i]
		p.probes = append(p.probes, p.chosen[i].id)
	}
	return Decision{Action: Probe, Probes: p.probes, Reason: ReasonProbing}
}

// answered chooses among those peers whose load is known by a probe.
func (p *powerOfN) answered(v *View, r *Request) {
	p.chosen = p.chosen[:0]
	for _, id := range r.Probed {
		if n := v.Neighbour(id); n != nil {
			p.consider(v, r, n)
		}
	}
}

func (p *powerOfN) consider(v *View, r *Request, n *Neighbour) {
	if mayTake(v, r, n) {
		p.chosen = append(p.chosen, loaded{n.ID, p.theirs(n)})
	}
}

func (p *powerOfN) unanswered(v *View, r *Request) Decision {
	switch {
	case v.Self.Deployed:
		return p.here(v, ReasonProbesFailed)
	case r.Round < MaxRounds-1:
		return p.probe(v, r)
	}
	return Decision{Action: Refuse, Reason: ReasonProbesFailed}
}

func (p *powerOfN) choose(v *View) Decision {
	own, least := p.own(v), fewest(p.chosen)
	s := Score{Here: float64(own), There: float64(least.load)}
	switch {
	case !v.Self.Deployed:
		return Decision{Action: Forward, Peer: least.id, Reason: ReasonNotDeployed, Score: Score{There: s.There}}
	case least.load >= own:
		d := p.here(v, ReasonNoneLess)
		d.Score = s
		return d
	case p.variant == variantUpstream:
		least = anyNotAbove(p.chosen, own, v.Rand)
		s.There = float64(least.load)
	}
	return Decision{Action: Forward, Peer: least.id, Reason: ReasonLessLoaded, Score: s}
}

func fewest(of []loaded) loaded {
	least := of[0]
	for _, n := range of[1:] {
		if n.load < least.load {
			least = n
		}
	}
	return least
}

// anyNotAbove picks one of those whose load is at most load, each as likely;
// there must be one.
func anyNotAbove(of []loaded, load int, rng *rand.Rand) loaded {
	var picked loaded
	seen := 0
	for _, n := range of {
		if n.load > load {
			continue
		}
		seen++
		if rng.IntN(seen) == 0 {
			picked = n
		}
	}
	return picked
}
