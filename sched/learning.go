package sched

// Learner is a [Policy] that learns while it serves, and tells how that goes.
type Learner interface {
	Policy
	// Learning is for metrics and logs, not for each invocation: it may allocate.
	Learning() Learning
}

// LearningState is who decides at present.
type LearningState uint8

const (
	// Learned: what was learned decides.
	Learned LearningState = iota
	// FallbackWorse: the default does, as what was learned was seen to be worse.
	FallbackWorse
	// FallbackSilent: the default does, as no outcomes are told.
	FallbackSilent
	// FallbackBroken: the default does, as what was learned was not a number. It
	// has been forgotten.
	FallbackBroken
	// FallbackUnadvised: the default does, as the decider elsewhere was slow, silent
	// or wrong several times in a row; see [Asker].
	FallbackUnadvised
)

// learningNames are for logs and labels, by LearningState.
var learningNames = [...]string{"learned", "fallback-worse", "fallback-silent", "fallback-broken", "fallback-unadvised"}

func (s LearningState) String() string {
	if int(s) < len(learningNames) {
		return learningNames[s]
	}
	return "unknown"
}

// Learning is how a policy's learning goes. Means are over its latest decisions,
// not a number before the first.
type Learning struct {
	State LearningState
	// Fallbacks is how often it went from Learned to another state.
	Fallbacks uint64
	// Epsilon is the share of decisions that explore.
	Epsilon float64
	// Reward is the mean reward.
	Reward float64
	// OnTime is the share on time where what was learned decided, and DefaultOnTime
	// where the default did to compare; only where there was something to decide.
	OnTime, DefaultOnTime float64
	// Agreement is the share of decisions that the default would have made as well.
	Agreement float64
	// ByLearned and ByDefault count the decisions where there was something to
	// decide: those of what was learned, exploring included, and those of the default,
	// whether to compare, to begin with or in a fallback.
	ByLearned, ByDefault uint64
	// Outcomes counts those that were learned from, Lost those that never came.
	Outcomes, Lost uint64
	// Functions is how many functions have a model of their own.
	Functions int
	Actions   []LearningAction
}

// LearningAction counts the decisions for one action.
type LearningAction struct {
	Action string
	Count  uint64
}
