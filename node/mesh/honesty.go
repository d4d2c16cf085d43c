package mesh

import (
	"math"
	"time"
)

// Honesty is 1 for a neighbour whose reports hold. Each broken promise takes a
// fifth of it, each kept one gives back a fiftieth of what is missing: a
// neighbour that misleads one time in ten settles near a half, and an honest one
// that is unlucky now and then stays above 0.9. (Additive increase would forgive
// a liar as fast as it convicts an honest node.)
const (
	honestyLoss = 0.2
	honestyGain = 0.02
	// slack is the wait that no report can foresee: scheduling, a burst of
	// others' work that arrives together with ours.
	slack = 100 * time.Millisecond
	// freshEnough is the age up to which a report can be held against a
	// neighbour that refuses: older ones were perhaps true.
	freshEnough = time.Second
	// forgetting is the time after which 1/e of what a neighbour has lost in
	// honesty and health is held against it. Who is not asked any more cannot
	// show that it has changed; and who is the only one with a function must be
	// asked at last, whatever it did.
	forgetting = 30 * time.Second
	// doubtful is below what honesty or health the next disappointment opens the
	// breaker: weight alone does not keep off a liar, who may claim any capacity.
	doubtful = 0.2
	// trusted is from where on a neighbour is believed about third parties.
	trusted = 0.5
)

func honestyAfter(h float64, kept bool) float64 {
	if kept {
		return h + honestyGain*(1-h)
	}
	return h * (1 - honestyLoss)
}

// heal forgets some of what the neighbour did.
func (n *neighbour) heal(now time.Duration) {
	n.healFitness(now - n.healed)
	keeps := math.Exp(-float64(now-n.healed) / float64(forgetting))
	n.healed = now
	n.honesty = 1 - keeps*(1-n.honesty)
	n.health = 1 - keeps*(1-n.health)
}

// brokenByRefusal tells whether a refusal breaks p: it claimed to be idle, a
// moment ago.
func brokenByRefusal(p promise) bool { return p.idle && p.age <= freshEnough }

// brokenByWait tells whether starting only after waited breaks p: it took more
// than twice as long as promised, and longer than the report's age and the
// slack explain.
func brokenByWait(p promise, waited time.Duration) bool {
	return waited > 2*p.wait+p.age+slack
}
