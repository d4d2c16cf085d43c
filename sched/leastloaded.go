package sched

import "fmt"

// leastLoaded sends each invocation to the node whose last report shows the
// least load, this one included: queue length over servers. With d it looks at
// that many neighbours drawn at random only ("power of d choices" on stale
// loads), with own it adds what this node has sent there since the report.
//
// It costs nothing and herds: nodes with the same old news all choose the same
// one, which makes it worse than random where reports are older than half a
// service and nodes are many (Mitzenmacher, "How Useful Is Old Information?", IEEE
// TPDS, 2000). Counting one's own sends does not cure what the others send.
type leastLoaded struct {
	choice
	d   int
	own bool
}

func newLeastLoaded(s *Settings) Policy {
	p := &leastLoaded{}
	p.bind(s, 1, true)
	s.Int(&p.d, "d", 0, 0, 1024, "neighbours looked at, drawn at random; 0 is all")
	s.Bool(&p.own, "own", true, "count what this node sent there since the report")
	return p
}

// Describe implements Describer.
func (p *leastLoaded) Describe() string {
	return fmt.Sprintf("least-loaded: where the last report shows the least load (d %d, own %t, hops %d, free %t)", p.d, p.own, p.hops, p.free)
}

// Decide implements Policy.
func (p *leastLoaded) Decide(v *View, r *Request) Decision {
	if d, ok := p.settled(v, r); ok {
		return d
	}
	among := p.others
	if p.d > 0 {
		among = p.some(v, p.d)
	}
	best, there := least(v, among, p.load)
	here := perServer(v.Self.Load.Total(), v.Self.Load.Servers)
	d := forwardTo(best, ReasonLessLoaded)
	if v.Self.Deployed && here <= there {
		d = p.here(v, ReasonNoneLess)
	}
	d.Score = Score{Here: here, There: there}
	return d
}

func (p *leastLoaded) load(n *Neighbour) float64 {
	if p.own {
		return perServer(n.Queue(), n.Load.Servers)
	}
	return perServer(n.Load.Total(), n.Load.Servers)
}

func perServer(count, servers int) float64 {
	return float64(max(0, count)) / float64(max(1, servers))
}

// least is that of the lowest cost, one of several equals by chance: else all
// would agree on the one with the lowest ID.
func least(v *View, among []int, cost func(*Neighbour) float64) (best *Neighbour, lowest float64) {
	equals := 0
	for _, i := range among {
		n := &v.Neighbours[i]
		c := cost(n)
		switch {
		case best == nil || c < lowest:
			best, lowest, equals = n, c, 1
		case c == lowest:
			if equals++; v.Rand.IntN(equals) == 0 {
				best = n
			}
		}
	}
	return best, lowest
}
