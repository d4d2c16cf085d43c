package sched_test

import (
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

func TestLocal(t *testing.T) {
	away := func(change func(s *scene)) func(s *scene) {
		return func(s *scene) {
			s.self().Deployed = false
			if change != nil {
				change(s)
			}
		}
	}
	testRulings(t, "local", nil, []ruling{
		{"free", 0, []int{0}, nil, sched.Run, "", sched.ReasonFreeServer},
		{"busy", 50, []int{0}, nil, sched.Run, "", sched.ReasonAlways},
		{"full", 50, []int{0}, func(s *scene) { s.self().Room = false }, sched.Refuse, "", sched.ReasonFull},
		{"nested on a full node", 50, []int{0}, func(s *scene) { s.self().Room, s.request.Nested = false, true },
			sched.Run, "", sched.ReasonNested},
		{"many hops do not matter", 50, []int{0}, func(s *scene) { s.came("u", "v", "w", "x") }, sched.Run, "", sched.ReasonAlways},

		{"not deployed", 0, []int{3, 1, 2}, away(nil), sched.Forward, "b", sched.ReasonNotDeployed},
		{"not deployed, the idle one is far", 0, []int{0, 1}, away(func(s *scene) { s.peer("a").RTT = 300 * ms }),
			sched.Forward, "b", sched.ReasonNotDeployed},
		{"not deployed, the idle one sleeps", 0, []int{0, 1}, away(func(s *scene) { s.peer("a").Warm, s.peer("a").Cold = false, time.Second }),
			sched.Forward, "b", sched.ReasonNotDeployed},
		{"not deployed, the idle one was visited", 0, []int{0, 1}, away(func(s *scene) { s.came("a") }),
			sched.Forward, "b", sched.ReasonNotDeployed},
		{"not deployed, the idle one fails", 0, []int{0, 1}, away(func(s *scene) { s.peer("a").Health = 0.1 }),
			sched.Forward, "b", sched.ReasonNotDeployed},
		{"not deployed, alone", 0, nil, away(nil), sched.Refuse, "", sched.ReasonNotDeployed},
		{"not deployed, no hop is left", 0, []int{0}, away(func(s *scene) { s.came("x", "y", "z") }),
			sched.Refuse, "", sched.ReasonNotDeployed},
	})
}
