package sched

import (
	"math"
	"slices"
	"time"
)

// outlook is what one invocation may expect here and at each candidate, in
// seconds. Its memory is reused from one decision to the next.
type outlook struct {
	// here is until answered on this node, +Inf if it has no room or not the
	// function. service is how long it runs, delay is a cold start before that.
	here, service, delay float64
	// candidates are those neighbours to which it may go.
	candidates []candidate
	// unseen is how many forwards all neighbours made since they reported:
	// the sum of their forwards-out times the mean age of the reports.
	unseen float64
	// byCount reckons waits by how many there are, whatever the nodes say of them.
	byCount bool
}

type candidate struct {
	neighbour int // its index in the view
	// wait is until it would start there. It falls below 0 with each server
	// that stays free besides: so that of two idle peers the wider one gets more.
	wait float64
	// service is how long it runs; delay is there and back and a cold start.
	service, delay float64
	// trust is the chance that it answers as reported.
	trust   float64
	servers float64
}

// response is how long until its answer is here. An attempt that succeeds with
// probability trust has to be made 1/trust times.
func (c *candidate) response() float64 { return (max(0, c.wait) + c.service + c.delay) / c.trust }

// vessel is the candidate as water-filling sees it.
func (c *candidate) vessel() vessel {
	return vessel{floor: c.wait + c.service + c.delay, width: c.servers / c.service * c.trust}
}

// minTrust is where trust is as good as none: of a hundred attempts less than
// one would succeed.
const minTrust = 0.01

// estimates are the assumptions that an outlook needs.
type estimates struct {
	prior  time.Duration // service time while nobody has measured it
	maxAge time.Duration // older reports tell nothing
}

func (e *estimates) bind(s *Settings) {
	s.Duration(&e.prior, "prior", 100*time.Millisecond, time.Millisecond, time.Hour,
		"service time assumed of a function that no node has measured yet")
	s.Duration(&e.maxAge, "max-age", 10*time.Second, time.Millisecond, time.Hour,
		"a peer whose report is older is no candidate")
}

// look takes in v and r afresh.
func (o *outlook) look(v *View, r *Request, e estimates) {
	pace := paceOf(v, e.prior)
	o.service = pace.service(v.Self.Service, v.Self.Load.Speed)
	o.delay = coldStart(v.Self.Warm, v.Self.Cold)
	o.here = o.waitHere(&v.Self) + o.service + o.delay
	o.candidates = o.candidates[:0]
	o.unseen = eachCandidate(v, r, e.maxAge, func(i int, n *Neighbour, trust float64) { o.expect(i, n, pace, trust) })
}

// eachCandidate calls add with those neighbours to which the invocation may go,
// and how far each is trusted. unseen is how many forwards all neighbours made
// since they reported: the sum of their forwards-out times the mean age of the
// reports; those older than maxAge tell nothing.
func eachCandidate(v *View, r *Request, maxAge time.Duration, add func(i int, n *Neighbour, trust float64)) (unseen float64) {
	var out, ages float64
	var heard int
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		age := n.Age(v.Now)
		if age > maxAge {
			continue
		}
		heard++
		ages += seconds(age)
		out += sane(n.Load.Out, 0)
		if t := trust(n); t >= minTrust && n.ID != v.Self.ID && !r.HasVisited(n.ID) {
			add(i, n, t)
		}
	}
	return out * ages / max(1, float64(heard))
}

// soonest is the candidate of the least response, nil without candidates.
func (o *outlook) soonest() *candidate {
	var best *candidate
	for i := range o.candidates {
		if c := &o.candidates[i]; best == nil || c.response() < best.response() {
			best = c
		}
	}
	return best
}

// next makes room for one more candidate, to be filled in place: copying it
// would cost as much as the reckoning.
func (o *outlook) next() *candidate {
	o.candidates = slices.Grow(o.candidates, 1)[:len(o.candidates)+1]
	return &o.candidates[len(o.candidates)-1]
}

func (o *outlook) expect(index int, n *Neighbour, p pace, trust float64) {
	c := o.next()
	c.neighbour = index
	c.service = p.service(n.Service, n.Load.Speed)
	c.delay = seconds(n.RTT) + coldStart(n.Warm, n.Cold)
	c.servers = float64(max(1, n.Load.Servers))
	c.wait = o.waitThere(n, c.servers, c.service)
	c.trust = trust
}

// waitThere reckons with the peer's own account of its wait, which knows what
// runs there and how far it has come, and with the counts if it gave none.
func (o *outlook) waitThere(n *Neighbour, servers, service float64) float64 {
	if n.Load.Wait > 0 && !o.byCount {
		return seconds(n.Load.Wait) + float64(max(0, n.OwnSends))*service/servers
	}
	return waitByCount(n.Queue(), servers, service)
}

func (o *outlook) waitHere(s *Self) float64 {
	switch {
	case !s.Deployed || !s.Free && !s.Room:
		return math.Inf(1)
	case s.Free:
		return 0
	case s.Load.Wait > 0 && !o.byCount:
		return seconds(s.Load.Wait)
	}
	return max(0, waitByCount(s.Load.Total(), float64(max(1, s.Load.Servers)), o.service))
}

// waitByCount is until one more than count would start: (q - c + 1) / (c mu).
func waitByCount(count int, servers, service float64) float64 {
	return (float64(max(0, count)) - servers + 1) * service / servers
}

// pace is the service time of a function on a node of nominal speed, in seconds.
type pace float64

// paceOf takes this node's own measurement, else the shortest of the
// neighbours', else prior. The shortest, so that a node that has not run the function
// yet looks no worse than any other: only running it will tell.
func paceOf(v *View, prior time.Duration) pace {
	if v.Self.Service.Mean > 0 {
		return pace(seconds(v.Self.Service.Mean) / speedFactor(v.Self.Load.Speed))
	}
	shortest := math.Inf(1)
	for i := range v.Neighbours {
		if n := &v.Neighbours[i]; n.Service.Mean > 0 {
			shortest = min(shortest, seconds(n.Service.Mean)/speedFactor(n.Load.Speed))
		}
	}
	if math.IsInf(shortest, 1) {
		return pace(seconds(prior))
	}
	return pace(shortest)
}

func (p pace) service(s Service, speed float64) float64 {
	if s.Mean > 0 {
		return seconds(s.Mean)
	}
	return float64(p) * speedFactor(speed)
}

func coldStart(warm bool, cold time.Duration) float64 {
	if warm {
		return 0
	}
	return seconds(cold)
}

func trust(n *Neighbour) float64 { return min(1, sane(n.Health, 0)) * min(1, sane(n.Honesty, 0)) }

// speedFactor reads Load.Speed, whose zero stands for nominal.
func speedFactor(speed float64) float64 {
	if speed == 0 {
		return 1
	}
	return max(1e-3, sane(speed, 1))
}

// sane keeps a peer's number from spoiling sums: instead is taken for what is
// negative, not a number or beyond all measure.
func sane(x, instead float64) float64 {
	if x >= 0 && x < 1e6 {
		return x
	}
	return instead
}

// seconds is Duration.Seconds for what cannot be negative, in one multiplication.
func seconds(d time.Duration) float64 { return float64(max(0, d)) * 1e-9 }
