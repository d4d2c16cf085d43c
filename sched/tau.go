package sched

import (
	"fmt"
	"time"
)

// powerOfNTau is power-of-n on news that is tau old: it probes, waits until
// tau has passed since the invocation came, and acts on the answers then. Load
// is what runs, without what waits. It is no policy to use but one to measure
// with: what a delay between looking and acting costs. P2PFaaS's
// PowerOfNSchedulerTau; Beraldi, Proietti Mattia, "On the impact of stale
// information on distributed online load balancing protocols for edge computing"
// (Computer Networks, 2022).
type powerOfNTau struct {
	powerOfN
	tau time.Duration
}

func newPowerOfNTau(s *Settings) Policy {
	p := &powerOfNTau{}
	p.powerOfN.bind(s)
	p.runningOnly = true
	s.Duration(&p.tau, "tau", 0, 0, time.Minute, "time from an invocation's arrival to the decision, the probes included")
	return p
}

// Describe implements Describer.
func (p *powerOfNTau) Describe() string {
	return fmt.Sprintf("power-of-n-tau: as power-of-n (f %d, t %d, loss %t, hops %d, variant %s), deciding %v after arrival",
		p.fanout, p.threshold, p.loss, p.hops, p.variant, p.tau)
}

// Decide implements Policy.
func (p *powerOfNTau) Decide(v *View, r *Request) Decision {
	if r.Round == 1 && len(r.Probed) > 0 {
		if rest := p.tau - p.probing(v, r); rest > 0 {
			return Decision{Action: Wait, Delay: rest, Reason: ReasonLag}
		}
	}
	return p.powerOfN.Decide(v, r)
}

// probing is how long the probes took: the round trip of the slowest.
func (p *powerOfNTau) probing(v *View, r *Request) (slowest time.Duration) {
	for _, id := range r.Probed {
		if n := v.Neighbour(id); n != nil {
			slowest = max(slowest, n.RTT)
		}
	}
	return slowest
}
