package sim

import (
	"math/rand/v2"
	"sort"
	"time"
)

// flow is the Poisson process of one class at one node.
type flow struct {
	node, class int32
	rate        float64 // per second, before trace and bursts
	rand        *rand.Rand
	next        time.Duration
}

// factor is what a node's rate is multiplied by once and for all.
func (w *world) factor(g *Group, node int) float64 {
	if g.RateSigma <= 0 {
		return 1
	}
	return lognormal(w.stream(forRates, node, 0), g.RateSigma)
}

// pour sets up what arrives.
func (w *world) pour() {
	scale := w.scale()
	shares := 0.0
	for i := range w.classes {
		shares += w.classes[i].Share
	}
	for i := range w.nodes {
		for c := range w.classes {
			f := flow{node: int32(i), class: int32(c), rate: w.nodes[i].rate * scale * w.classes[c].Share / shares,
				rand: w.stream(forArrivals, i, c)}
			if f.rate > 0 {
				w.advance(&f)
				w.flows = append(w.flows, f)
			}
		}
	}
}

// scale brings the rates to the wanted utilisation.
func (w *world) scale() float64 {
	var rate, capacity float64
	for i := range w.nodes {
		n := &w.nodes[i]
		rate += n.rate * w.sc.Load.Trace.mean(i, w.sc.Duration) * w.sc.Load.Burst.mean()
		capacity += float64(n.servers) * n.speed
	}
	if w.sc.Load.Utilisation <= 0 || rate == 0 {
		return 1
	}
	return w.sc.Load.Utilisation * capacity / w.meanService().Seconds() / rate
}

// meanService is over all classes, at speed 1.
func (w *world) meanService() time.Duration {
	var work, shares float64
	for i := range w.classes {
		work += w.classes[i].Share * float64(w.classes[i].Service)
		shares += w.classes[i].Share
	}
	return time.Duration(work / shares)
}

// advance draws the next arrival: it comes once the rate, added up over time,
// has reached an exponential variate.
func (w *world) advance(f *flow) {
	left := f.rand.ExpFloat64()
	at := f.next
	for at < w.end {
		factor, until := w.sc.Load.at(at, int(f.node), w.seed)
		rate := f.rate * factor / float64(time.Second)
		if until = min(until, w.end); rate*float64(until-at) >= left {
			f.next = at + time.Duration(left/rate)
			return
		}
		left -= rate * float64(until-at)
		at = until
	}
	f.next = forever
}

const forever = time.Duration(1<<63 - 1)

// at is the factor for a node's rate at a moment, and until when it holds.
func (l *Traffic) at(now time.Duration, node int, seed uint64) (factor float64, until time.Duration) {
	factor, until = l.Trace.at(now, node)
	if b := l.Burst; b != nil {
		k := now / b.Period
		factor *= b.state(int64(k), node, seed)
		until = min(until, (k+1)*b.Period)
	}
	return factor, until
}

func (t *Trace) at(now time.Duration, node int) (factor float64, until time.Duration) {
	if t == nil {
		return 1, forever
	}
	i := sort.Search(len(t.At), func(i int) bool { return t.At[i] > now }) - 1
	until = forever
	if i+1 < len(t.At) {
		until = t.At[i+1]
	}
	return t.Rows[i][min(node, len(t.Rows[i])-1)], until
}

// mean is over the time from 0 to end.
func (t *Trace) mean(node int, end time.Duration) float64 {
	var sum float64
	for now := time.Duration(0); now < end; {
		factor, until := t.at(now, node)
		until = min(until, end)
		sum += factor * float64(until-now)
		now = until
	}
	return sum / float64(end)
}

// state is the factor of a node in the k-th period. It is a hash rather than
// a draw: so each class's flow finds the same.
func (b *Burst) state(k int64, node int, seed uint64) float64 {
	pcg := rand.NewPCG(seed, forBursts<<48|uint64(node))
	if float64(mix(uint64(k)^pcg.Uint64())>>11)/(1<<53) < b.On {
		return b.High
	}
	return b.Low
}

// mix is the finaliser of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (b *Burst) mean() float64 {
	if b == nil {
		return 1
	}
	return b.On*b.High + (1-b.On)*b.Low
}

// draw takes the next invocation off a flow: its demand, in nanoseconds at speed 1.
func (w *world) draw(i int32) (demand float64) {
	f := &w.flows[i]
	demand = w.laws[f.class].mean * w.laws[f.class].draw(f.rand)
	w.advance(f)
	w.agenda.add(event{at: f.next, kind: arrival, arg: i})
	return demand
}

// arrive has the next invocation of a flow enter.
func (w *world) arrive(i int32) {
	f := &w.flows[i]
	at := f.next
	body, demand := w.sized(i, w.draw(i))
	w.admit(at, f.node, f.class, body, demand)
}

// sized draws the size of a body, and what it does to the demand.
func (w *world) sized(i int32, demand float64) (int64, float64) {
	f := &w.flows[i]
	c := &w.classes[f.class]
	if c.BodySigma <= 0 {
		return c.Body, demand
	}
	factor := lognormal(f.rand, c.BodySigma)
	return int64(factor * float64(c.Body)), demand * (1 - c.Sized + c.Sized*factor)
}
