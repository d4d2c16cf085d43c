package sched

import (
	"math"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// maxPasses is how often an ask is passed on.
	maxPasses = 2
	// inARow is how many asks may fail before a pause of one mean service.
	inARow = 2
	// freshQueue, in mean services, is up to which age a reported queue is
	// believed to be still there. What a third party told is older than this in most
	// meshes, and others that are idle heard it too.
	freshQueue = 0.15
	// freshNone is up to which age a report that nothing waits is believed.
	freshNone = 0.5
	// nearEnough, in mean services, is up to which distance it is worth asking
	// somebody of whom no queue is known.
	nearEnough = 0.5
	// longestPause is how often an idle node looks at least.
	longestPause = time.Second
)

// seeker has an idle node ask for work (rule 7): whoever reported the longest
// queue just now, else a near peer drawn by how much it forwards, as that has work and
// this does not age as queues do.
type seeker struct {
	allowance allowance
	failed    int           // asks in a row
	until     time.Duration // no ask before
	pause     time.Duration // one mean service
	vain      int           // looks in a row that found nobody to ask
	weights   []float64
}

func (s *seeker) bind(settings *Settings) {
	settings.Float(&s.allowance.earns, "budget", 2.5, 0, 100, "messages for asking for work that each invocation served here allows")
	settings.Float(&s.allowance.most, "budget-cap", 10, askCosts, 1000, "messages for asking that may be saved up")
}

// idle chooses whom to ask.
func (s *seeker) idle(v *View, mix mixture) (to *Neighbour, again time.Duration) {
	s.pause = time.Duration(mix.mean * 1e9)
	switch {
	case v.Now < s.until:
		return nil, s.until - v.Now
	case !s.allowance.affords():
		return nil, 0
	}
	if to = s.choose(v, mix, nil); to == nil {
		return nil, s.backOff()
	}
	s.allowance.pay()
	return to, 0
}

// backOff is until somebody may have been heard of whom to ask: longer and
// longer, as a node in a mesh at rest has better things to do.
func (s *seeker) backOff() time.Duration {
	s.vain = min(s.vain+1, 16)
	return min(s.pause<<(s.vain-1), max(s.pause, longestPause))
}

// ended tells how an ask went.
func (s *seeker) ended(e PullEnd) {
	s.allowance.refund(e.Messages)
	if e.OK {
		s.failed = 0
		return
	}
	if s.failed++; s.failed >= inARow {
		s.failed, s.until = 0, e.Now+s.pause
	}
}

// served tells that this node has served an invocation: it is idle anew if it is.
func (s *seeker) served() {
	s.allowance.served()
	s.failed, s.until, s.vain = 0, 0, 0
}

// choose is the peer with the longest fresh queue, else one drawn.
func (s *seeker) choose(v *View, mix mixture, ask *Pull) *Neighbour {
	if n := longestQueue(v, mix, ask); n != nil {
		return n
	}
	return s.draw(v, mix, ask)
}

// longestQueue is where the most work is left by the time that it could be fetched.
func longestQueue(v *View, mix mixture, ask *Pull) *Neighbour {
	var longest *Neighbour
	most := math.Inf(-1)
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		age := seconds(n.Age(v.Now))
		if n.Load.Queued <= 0 || age > freshQueue*mix.mean || !askable(v, n, ask) {
			continue
		}
		if left := seconds(n.Load.Wait) - mix.runsOff*age/2 - seconds(n.RTT); left > most {
			longest, most = n, left
		}
	}
	return longest
}

// draw weighs peers by their forwards and their distance.
func (s *seeker) draw(v *View, mix mixture, ask *Pull) *Neighbour {
	s.weights = s.weights[:0]
	var sum float64
	for i := range v.Neighbours {
		w := s.weight(v, &v.Neighbours[i], mix, ask)
		s.weights = append(s.weights, w)
		sum += w
	}
	left := sum * v.Rand.Float64()
	for i, w := range s.weights {
		if left -= w; w > 0 && left < 0 {
			return &v.Neighbours[i]
		}
	}
	return nil
}

func (s *seeker) weight(v *View, n *Neighbour, mix mixture, ask *Pull) float64 {
	rtt := seconds(n.RTT) / mix.mean
	heardEmpty := n.Load.Queued == 0 && seconds(n.Age(v.Now)) < freshNone*mix.mean
	if rtt > nearEnough || heardEmpty || !askable(v, n, ask) {
		return 0
	}
	return sane(n.Load.Out, 0) * math.Exp(-rtt) * trust(n)
}

// askable tells whether n may be asked, on behalf of somebody else if ask is given.
func askable(v *View, n *Neighbour, ask *Pull) bool {
	if n.ID == v.Self.ID || trust(n) < minTrust {
		return false
	}
	return ask == nil || n.ID != ask.From && !slices.Contains(ask.Asked, n.ID)
}

// Idle implements Puller.
func (p *spread) Idle(v *View) (ask Pull, again time.Duration, ok bool) {
	to, again := p.seeker.idle(v, p.mixture(v))
	if to == nil {
		return Pull{}, again, false
	}
	return Pull{Peer: to.ID, Passes: maxPasses}, 0, true
}

// Pass implements Puller.
func (p *spread) Pass(v *View, ask Pull) (to peer.ID, ok bool) {
	if ask.Passes <= 0 {
		return "", false
	}
	n := p.seeker.choose(v, p.mixture(v), &ask)
	if n == nil {
		return "", false
	}
	return n.ID, true
}

// Pulled implements Puller.
func (p *spread) Pulled(e PullEnd) { p.seeker.ended(e) }

// Served implements Puller.
func (p *spread) Served(time.Duration) { p.seeker.served() }

func (p *spread) mixture(v *View) mixture {
	return mixtureOf(&v.Self, paceOf(v, p.estimates.prior))
}
