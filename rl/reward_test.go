package rl

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

func TestReward(t *testing.T) {
	outcome := func(function string, deadline, response time.Duration, result sched.Result) *sched.Outcome {
		return &sched.Outcome{Request: sched.Request{Function: function, Deadline: deadline}, Response: response, Result: result,
			OnTime: result == sched.Answered && (deadline == 0 || response <= deadline)}
	}
	const d = 200 * time.Millisecond
	cases := []struct {
		name    string
		kind    string
		outcome *sched.Outcome
		probed  bool
		want    float64
	}{
		{"on time", rewardOnTime, outcome("f", d, d/2, sched.Answered), false, 1},
		{"late", rewardOnTime, outcome("f", d, 2*d, sched.Answered), false, 0},
		{"expired", rewardOnTime, outcome("f", d, d, sched.Expired), false, 0},
		{"refused", rewardOnTime, outcome("f", d, d/2, sched.Refused), false, 0},
		{"on time after a probe", rewardOnTime, outcome("f", d, d/2, sched.Answered), true, 0.99},
		{"of twice the weight", rewardOnTime, outcome("dear", d, d/2, sched.Answered), false, 2},
		{"of twice the weight after a probe", rewardOnTime, outcome("dear", d, d/2, sched.Answered), true, 1.98},
		{"half the deadline", rewardResponse, outcome("f", d, d/2, sched.Answered), false, -0.5},
		{"far beyond the deadline", rewardResponse, outcome("f", d, 9*d, sched.Answered), false, -1},
		{"no answer is no quick answer", rewardResponse, outcome("f", d, 1, sched.Refused), false, -1},
		{"without a deadline", rewardResponse, outcome("f", 0, 250*time.Millisecond, sched.Answered), false, -0.25},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := reward{kind: c.kind, probeCost: 0.01}
			if err := r.parse("dear=2,cheap=.5"); err != nil {
				t.Fatal(err)
			}
			if got := r.of(c.outcome, c.probed); math.Abs(got-c.want) > 1e-12 {
				t.Errorf("reward %v, want %v", got, c.want)
			}
		})
	}
}

func TestBadWeights(t *testing.T) {
	for _, text := range []string{"f", "f=", "=1", "f=-1", "f=NaN", "f=x,g=1", "f=1e9"} {
		_, err := Policies().New("sarsa", map[string]string{"weights": text})
		if !errors.Is(err, sched.ErrBadValue) || !strings.Contains(err.Error(), "weight") {
			t.Errorf("weights %q: error %v", text, err)
		}
	}
}
