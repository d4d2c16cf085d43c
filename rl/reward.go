package rl

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/p2pfaas/p2pfaas/sched"
)

// reward turns an outcome into a number: what is learned for.
type reward struct {
	kind      string
	probeCost float64
	text      string
	weights   map[string]float64 // by function
}

const (
	rewardOnTime   = "on-time"
	rewardResponse = "response"
)

// noDeadline stands in, in seconds, for a deadline that there is not.
const noDeadline = 1.0

func (r *reward) bind(s *sched.Settings) {
	s.Choice(&r.kind, "reward", []string{rewardOnTime, rewardResponse},
		"on-time: 1 on time, else 0; response: less the response time over the deadline (1s without one), at least -1")
	s.Float(&r.probeCost, "probe-cost", 0.01, 0, 1, "taken off the reward of an invocation that probed")
	s.Text(&r.text, "weights", "", "function=weight,...", "what the reward of a function is multiplied by, 1 for others", r.parse)
}

func (r *reward) parse(text string) error {
	weights := make(map[string]float64)
	for _, part := range strings.Split(text, ",") {
		if part == "" {
			continue
		}
		function, number, _ := strings.Cut(part, "=")
		weight, err := strconv.ParseFloat(number, 64)
		if err != nil || function == "" || !(weight >= 0 && weight <= 1000) {
			return fmt.Errorf("%q is not a function and a weight from 0 to 1000", part)
		}
		weights[function] = weight
	}
	r.weights = weights
	return nil
}

// of is the reward of an outcome.
func (r *reward) of(o *sched.Outcome, probed bool) float64 {
	x := r.raw(o)
	if probed {
		x -= r.probeCost
	}
	if weight, ok := r.weights[o.Request.Function]; ok {
		x *= weight
	}
	return x
}

// least is for what has come to nothing.
func (r *reward) least() float64 {
	if r.kind == rewardResponse {
		return -1
	}
	return 0
}

func (r *reward) raw(o *sched.Outcome) float64 {
	switch {
	case r.kind == rewardOnTime && o.OnTime:
		return 1
	case r.kind == rewardOnTime, o.Result != sched.Answered:
		return r.least()
	}
	deadline := noDeadline
	if o.Request.Deadline > 0 {
		deadline = o.Request.Deadline.Seconds()
	}
	return -min(1, o.Response.Seconds()/deadline)
}
