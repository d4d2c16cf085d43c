package rl

import (
	"math"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// safety sees to it that what was learned decides only as long as it is no
// worse than the default.
//
//   - A share of the decisions, the holdout, goes to the default whatever was
//     learned. If the other ones are on time more rarely by more than fallbackGap, and
//     that is no chance (two-proportion z above fallbackZ), all go to the default for a
//     pause; then both are counted anew.
//   - Where outcomes fail to come for as long as silence, nobody can tell: the
//     default decides until they come again.
//   - What is not a number has been forgotten: the default decides for a pause.
type safety struct {
	fallback bool // compare at all
	holdout  float64
	warmUp   int
	silence  time.Duration
	pause    time.Duration

	state         sched.LearningState
	falls         uint64
	until         time.Duration // the end of the pause
	learned, held recent
	untested      int

	now     time.Duration // of the latest decision
	waiting bool          // for an outcome
	since   time.Duration
}

const (
	fallbackGap = 0.02
	fallbackZ   = 2
	// leastSample is what a comparison needs on either side, and how many outcomes
	// there are between two: so that it does not find something by mere persistence.
	leastSample = 50
)

func (s *safety) bind(settings *sched.Settings, fallback bool) {
	settings.Bool(&s.fallback, "fallback", fallback, "compare with the default all the time, and leave decisions to it while it does better")
	settings.Float(&s.holdout, "holdout", 0.05, 0, 1, "share of decisions that are left to the default, to compare (with fallback)")
	settings.Int(&s.warmUp, "warm-up", 200, 0, 1_000_000, "first decisions for a function that are left to the default (with fallback)")
	settings.Duration(&s.silence, "silence", 10*time.Second, time.Second, time.Hour, "time without any outcome after which the default decides")
	settings.Duration(&s.pause, "pause", time.Minute, time.Second, 24*time.Hour, "how long the default decides after what was learned did worse")
}

// look takes in the time, and tells whether a pause has just ended.
func (s *safety) look(now time.Duration) (resumed bool) {
	s.now = now
	if !s.waiting {
		s.waiting, s.since = true, now
	}
	switch {
	case s.state == sched.Learned && now-s.since > s.silence:
		s.fall(sched.FallbackSilent, 0)
	case s.state != sched.Learned && s.state != sched.FallbackSilent && now >= s.until:
		s.state = sched.Learned
		s.learned, s.held = recent{}, recent{} // of what was under way when it fell
		return true
	}
	return false
}

// fall leaves decisions to the default.
func (s *safety) fall(why sched.LearningState, pause time.Duration) {
	if s.state == sched.Learned {
		s.falls++
	}
	s.state, s.until = why, s.now+pause
}

// broken is called when what was learned was not a number.
func (s *safety) broken() { s.fall(sched.FallbackBroken, s.pause) }

// heard takes in that there was an outcome, and who decided on it.
func (s *safety) heard(by decider, onTime bool) {
	s.waiting = false
	if s.state == sched.FallbackSilent {
		s.state = sched.Learned
	}
	switch by {
	case byLearned:
		s.learned.add(onTime)
	case byHoldout:
		s.held.add(onTime)
	default:
		return
	}
	if s.untested++; s.untested >= leastSample && s.fallback && s.state == sched.Learned {
		s.untested = 0
		if worse(&s.learned, &s.held) {
			s.fall(sched.FallbackWorse, s.pause)
		}
	}
}

// worse tells whether a is on time more rarely than b, by much and not by chance.
func worse(a, b *recent) bool {
	if a.count() < leastSample || b.count() < leastSample {
		return false
	}
	n, m := float64(a.count()), float64(b.count())
	gap := b.mean() - a.mean()
	pooled := (float64(a.hits) + float64(b.hits)) / (n + m)
	sd := math.Sqrt(pooled * (1 - pooled) * (1/n + 1/m))
	return gap > fallbackGap && gap > fallbackZ*sd
}

// decider is who made a decision.
type decider uint8

const (
	// byNobody: there was nothing to decide.
	byNobody decider = iota
	byLearned
	byHoldout
	// byDefault in warm-up or fallback.
	byDefault
)

// recent is a window over the latest yes-or-no results.
type recent struct {
	ring [500]bool
	next int
	full bool
	hits int
}

func (r *recent) add(hit bool) {
	if r.full && r.ring[r.next] {
		r.hits--
	}
	r.ring[r.next] = hit
	if hit {
		r.hits++
	}
	if r.next++; r.next == len(r.ring) {
		r.next, r.full = 0, true
	}
}

func (r *recent) count() int {
	if r.full {
		return len(r.ring)
	}
	return r.next
}

// mean is not a number if there is none.
func (r *recent) mean() float64 {
	if r.count() == 0 {
		return math.NaN()
	}
	return float64(r.hits) / float64(r.count())
}
