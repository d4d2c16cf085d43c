package sched

import (
	"slices"
	"time"
)

// Asker is a Policy that has somebody outside this program decide: a learner of
// the user's own. With [Ask] its Decision bears a [Question]; the driver puts it, and
// the Request of the next round bears the [Advice]. The driver never waits
// longer than Question.Within, and gives no Advice rather than a late one.
type Asker interface {
	Policy
	// Lesson is the next one that the decider has not been told yet; its State is
	// memory of the Policy's own, valid until the next call. The driver takes them
	// after each Decide and Observe, until there is none.
	Lesson() (l Lesson, ok bool)
}

// Question describes a moment in numbers, for a decider that answers with the
// number of an action. What they mean is between it and the Policy.
type Question struct {
	State []float64
	// Actions are those that are possible now, ascending.
	Actions []int
	// Within is how long the answer may take.
	Within time.Duration
}

// Clone shares no memory with q, which may be nil.
func (q *Question) Clone() *Question {
	if q == nil {
		return nil
	}
	return &Question{State: slices.Clone(q.State), Actions: slices.Clone(q.Actions), Within: q.Within}
}

// Advice is what the decider answered; the zero value stands for no answer.
type Advice struct {
	OK     bool // there is an answer
	Action int
	// Epsilon is the share of its answers that explore, 0 if it did not say.
	Epsilon float64
}

// Step is a decision in the terms of who learns from it.
type Step struct {
	// ID counts a Policy's steps from 1 without gaps: the order to learn in.
	ID      uint64
	State   []float64
	Action  int
	Epsilon float64
}

// Lesson is a Step and what it has earned.
type Lesson struct {
	Step
	Reward float64
}

// Stepper is a Policy whose decisions can be told as Steps, for callers who
// teach a learner themselves.
type Stepper interface {
	Policy
	// Step is the one of the Decision with that Token; ok is false if none led to
	// it, or its Outcome has been told. Its State is memory of the Policy's own,
	// valid until the next call.
	Step(token uint64) (s Step, ok bool)
}

// Census is a [Line] that can tell task types apart.
type Census interface {
	// Count is how many of that type hold a server here, and how many wait.
	Count(taskType float64) (running, queued int)
}
