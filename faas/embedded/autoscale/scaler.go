package autoscale

import (
	"math"
	"time"
)

// Sample is what a function did up to a moment. The sums count from the same
// beginning and never fall.
type Sample struct {
	At       time.Time
	Finished uint64        // calls that are over
	Busy     time.Duration // the time that calls took, those under way until now included
	CPU      time.Duration // of the processors
	Calls    int           // under way
	Replicas int
}

// Scaler decides for one function. It is not safe for concurrent use.
type Scaler struct {
	policy  Policy
	samples []Sample // those of the mean, the oldest first
	advice  []advice // of the down window
	active  time.Time
	last    int // what Next returned
}

// advice is how many replicas the load called for at a moment.
type advice struct {
	at       time.Time
	replicas int
}

// New returns a Scaler that has seen nothing.
func New(p Policy) *Scaler { return &Scaler{policy: p} }

// Next returns how many replicas there are to be from now on.
func (s *Scaler) Next(x Sample) int {
	s.observe(x)
	s.last = s.decide(x)
	return s.last
}

// observe keeps the sample, and notices what others did.
func (s *Scaler) observe(x Sample) {
	first := len(s.samples) == 0
	byHand := !first && x.Replicas != s.last
	if first || byHand || x.Calls > 0 || x.Finished != s.samples[len(s.samples)-1].Finished {
		s.active = x.At
	}
	if byHand {
		s.advice = append(s.advice, advice{x.At, x.Replicas})
	}
	s.samples = append(s.samples, x)
	for len(s.samples) > 2 && x.At.Sub(s.samples[1].At) >= meanOver {
		s.samples = s.samples[1:]
	}
}

func (s *Scaler) decide(x Sample) int {
	p := &s.policy
	switch {
	case x.Replicas == 0: // until a call wakes it
		s.advice = nil
		return 0
	case p.Zero && x.At.Sub(s.active) >= p.ZeroAfter:
		return 0
	case !p.ByLoad:
		return max(x.Replicas, p.Min)
	case len(s.samples) < 2:
		return within(p, x.Replicas)
	}
	wanted := s.wanted(x)
	s.advise(x.At, wanted)
	if wanted > x.Replicas {
		return within(p, min(wanted, x.Replicas+p.step()))
	}
	return within(p, min(s.highest(), x.Replicas))
}

// wanted is the number at which each replica has its target.
func (s *Scaler) wanted(x Sample) int {
	p := &s.policy
	n := math.Ceil(s.load(x)/(p.Target*p.Proportion) - roundingOfQuotient)
	return within(p, int(min(n, mostReplicas)))
}

// load is the mean since the oldest sample that is kept.
func (s *Scaler) load(x Sample) float64 {
	from := s.samples[0]
	seconds := x.At.Sub(from.At).Seconds()
	if seconds <= 0 {
		return 0
	}
	switch s.policy.Type {
	case Capacity:
		return (x.Busy - from.Busy).Seconds() / seconds
	case CPU:
		return (x.CPU - from.CPU).Seconds() * milli / seconds
	}
	return float64(x.Finished-from.Finished) / seconds
}

// advise keeps what the load calls for as long as the down window.
func (s *Scaler) advise(at time.Time, replicas int) {
	s.advice = append(s.advice, advice{at, replicas})
	for at.Sub(s.advice[0].at) > s.policy.DownWindow {
		s.advice = s.advice[1:]
	}
}

func (s *Scaler) highest() int {
	n := 0
	for _, a := range s.advice {
		n = max(n, a.replicas)
	}
	return n
}

// step is how many replicas are added at once.
func (p *Policy) step() int {
	return max(1, (p.Max*p.Factor+percent-1)/percent)
}

func within(p *Policy, n int) int { return max(p.Min, min(n, p.Max)) }

// NeedsCPU tells whether samples need to say what the processors did.
func (s *Scaler) NeedsCPU() bool { return s.policy.ByLoad && s.policy.Type == CPU }
