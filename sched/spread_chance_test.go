package sched_test

import (
	"math"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// line is a queue in which so much work goes before any newcomer.
type line time.Duration

func (l line) Ahead(_, _ time.Duration) time.Duration { return time.Duration(l) }

// A deadline changes what is compared: at 76 ms away a peer answers in 176 ms,
// not sooner by a quarter of a service than the 200 ms here; but it is on time in
// 71 % of all cases, and this node in half of them.
func TestSpreadRule5Chance(t *testing.T) {
	within := func(left time.Duration, change func(s *scene)) func(s *scene) {
		return func(s *scene) { s.request.Deadline = left; change(s) }
	}
	testRulings(t, "spread", nil, []ruling{
		{"no deadline: the finish decides", 1, []int{0}, func(s *scene) { s.peer("a").RTT = 76 * ms }, sched.Run, "", sched.ReasonHereSooner},
		{"likelier there", 1, []int{0}, within(200*ms, func(s *scene) { s.peer("a").RTT = 76 * ms }), sched.Forward, "a", sched.ReasonLikelierThere},
		{"likelier here, for want of trust", 1, []int{0}, within(300*ms, func(s *scene) { s.peer("a").Honesty = 0.5 }), sched.Run, "", sched.ReasonLikelierHere},
		{"as likely: the finish decides", 1, []int{0}, within(10*time.Second, func(s *scene) {}), sched.Forward, "a", sched.ReasonThereSooner},
		{"hopeless everywhere: the finish decides", 9, []int{5}, within(20*ms, func(s *scene) {}), sched.Forward, "a", sched.ReasonThereSooner},
		{"what waits here has a later deadline", 9, []int{1}, within(300*ms, func(s *scene) { s.self().Line = line(0) }), sched.Run, "", sched.ReasonHereSooner},
		{"what waits here has an earlier one", 9, []int{1}, within(300*ms, func(s *scene) { s.self().Line = line(800 * ms) }), sched.Forward, "a", sched.ReasonLikelierThere},
		{"no room here", 9, []int{30}, within(300*ms, func(s *scene) { s.self().Room = false }), sched.Forward, "a", sched.ReasonNoRoomHere},
		{"a free server", 0, []int{0}, within(50*ms, func(s *scene) {}), sched.Run, "", sched.ReasonFreeServer},
	})
	testRulings(t, "spread", map[string]string{"threshold": "0.3"}, []ruling{
		{"a higher threshold", 1, []int{0}, within(200*ms, func(s *scene) { s.peer("a").RTT = 76 * ms }), sched.Run, "", sched.ReasonHereSooner},
	})
}

// Both answer in 200 ms on average. One always does, the other in half of all
// cases: the choice is the sure one as soon as it is among those drawn.
func TestSpreadRule5Draws(t *testing.T) {
	for _, c := range []struct {
		draws string
		sure  float64
	}{{"1", 0.5}, {"2", 0.75}, {"3", 0.875}} {
		t.Run(c.draws, func(t *testing.T) {
			s := newScene(20, 1, 1)
			s.request.Deadline = 205 * ms
			s.peer("b").Service.Spread = 0
			got := shares(t, newPolicy(t, "spread", map[string]string{"draws": c.draws}), s)["b"]
			if math.Abs(got-c.sure) > 0.02 {
				t.Errorf("%.3f go to the sure one, want %.3f", got, c.sure)
			}
		})
	}
}
