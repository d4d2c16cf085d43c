package sim

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// counting is a policy that says that it learns.
type counting struct {
	sched.Policy
	decided uint64
	state   sched.LearningState
}

func (c *counting) Decide(v *sched.View, r *sched.Request) sched.Decision {
	c.decided++
	return c.Policy.Decide(v, r)
}

func (c *counting) Learning() sched.Learning {
	l := sched.Learning{State: c.state, Epsilon: 0.5, Reward: math.NaN(), ByLearned: c.decided, Outcomes: 1}
	if c.state != sched.Learned {
		l.Reward = 0.25
	}
	return l
}

// TestSamplesOfLearning: over the nodes that learn and live; a sample counts what
// ended since the one before, warm-up included.
func TestSamplesOfLearning(t *testing.T) {
	sc := &Scenario{
		Name: "three", Duration: 10 * time.Second, Warmup: 5 * time.Second, View: 8,
		Nodes:   []Group{{Count: 3, Servers: 1, Queue: 100, Rate: []float64{5}}},
		Classes: []Class{{Share: 1, Function: "work", Service: 10 * time.Millisecond, Deadline: time.Minute}},
		Events:  []Event{{At: 7 * time.Second, Nodes: []int{2}, Kill: true}},
	}
	var learners [3]*counting
	r, err := Run(context.Background(), sc, Options{Policy: "local", Sample: time.Second, New: func(node int) (sched.Policy, error) {
		p, err := sched.Policies().New("local", nil)
		if node == 0 {
			return p, err
		}
		learners[node] = &counting{Policy: p, state: sched.LearningState(node - 1)}
		return learners[node], err
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Samples) < 9 { // there is none at the very end if nothing is under way any more
		t.Fatalf("%d samples", len(r.Samples))
	}
	first, last := r.Samples[0].Learning, r.Samples[len(r.Samples)-1].Learning
	if first == nil || first.Nodes != 2 || first.Fallback != 1 || first.Reward != 0.25 || first.Epsilon != 0.5 || first.Outcomes != 2 {
		t.Errorf("the first sample says %+v", first)
	}
	if last.Nodes != 1 || last.Fallback != 0 || !math.IsNaN(last.Reward) || last.ByLearned == 0 || last.ByLearned > learners[1].decided {
		t.Errorf("the last sample says %+v; a node is dead", last)
	}
	ended := 0
	for _, s := range r.Samples {
		ended += s.Ended
		if s.Ended == 0 || s.InDeadline > s.Ended {
			t.Errorf("%+v", s)
		}
	}
	if ended <= r.Requests {
		t.Errorf("%d ended in all samples, %d of them after the warm-up", ended, r.Requests)
	}
}

func TestNobodyLearns(t *testing.T) {
	if l := LearningOf(nil); l != nil {
		t.Errorf("of nobody it is %+v", l)
	}
}
