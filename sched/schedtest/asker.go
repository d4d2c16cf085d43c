package schedtest

import (
	"fmt"
	"slices"

	"github.com/p2pfaas/p2pfaas/sched"
)

// askable tells whether a decider elsewhere could answer it.
func askable(q *sched.Question) error {
	switch {
	case q == nil || q.Within <= 0:
		return fmt.Errorf("asks without a question, or gives no time to answer it")
	case len(q.Actions) == 0 || !slices.IsSorted(q.Actions):
		return fmt.Errorf("asks for one of the actions %v", q.Actions)
	case slices.ContainsFunc(q.State, func(x float64) bool { return !finite(x) }):
		return fmt.Errorf("asks about the state %v, not all of it finite", q.State)
	}
	return nil
}

// mostLessons is far more than one call can give rise to.
const mostLessons = 1 << 12

// lessons takes what an Asker has to tell.
func lessons(p sched.Policy) error {
	a, ok := p.(sched.Asker)
	if !ok {
		return nil
	}
	for range mostLessons {
		l, ok := a.Lesson()
		switch {
		case !ok:
			return nil
		case l.ID == 0 || !finite(l.Reward) || !finite(l.Epsilon):
			return fmt.Errorf("lesson %+v", l)
		}
	}
	return fmt.Errorf("more than %d lessons after one call", mostLessons)
}
