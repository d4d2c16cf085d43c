package main

import (
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/sched"
)

// reasonText is a decision's reason, with its numbers, in words.
func reasonText(s *control.Step) string {
	switch s.Reason {
	case sched.ReasonHereSooner.String():
		return fmt.Sprintf("expected here %s, at the best other %s", expected(s.Here), expected(s.There))
	case sched.ReasonThereSooner.String():
		return fmt.Sprintf("expected there %s, here %s", expected(s.There), expected(s.Here))
	case sched.ReasonNoRoomHere.String():
		return fmt.Sprintf("there is no room here, expected there %s", expected(s.There))
	case sched.ReasonLessLoaded.String():
		return fmt.Sprintf("it had %.0f in its care, this node %.0f", s.There, s.Here)
	case sched.ReasonNoneLess.String():
		return fmt.Sprintf("this node had %.0f in its care, the least loaded of those asked %.0f", s.Here, s.There)
	}
	if text := plainReason(s.Reason); text != "" {
		return text
	}
	return spaced(s.Reason) // of a newer version
}

// plainReason is for those without numbers; "" if it is not one of them.
func plainReason(word string) string {
	switch word {
	case sched.ReasonFreeServer.String():
		return "a server was free here"
	case sched.ReasonBelowThreshold.String():
		return "the load here was below the policy's threshold"
	case sched.ReasonOnlyHere.String():
		return "no other node could take it"
	case sched.ReasonHopLimit.String():
		return "no further hop was allowed"
	case sched.ReasonNotDeployed.String():
		return "the function is not deployed here"
	case sched.ReasonFull.String():
		return "there was no room here and nowhere better"
	case sched.ReasonProbing.String():
		return "the policy wants to know how busy they are"
	case sched.ReasonProbesFailed.String():
		return "nobody that was asked for its load answered"
	case sched.ReasonAlways.String():
		return "the policy always does this"
	case sched.ReasonNested.String():
		return "a function that runs here made the call, and lends it its server"
	case sched.ReasonFallback.String():
		return "the node chosen before failed"
	case sched.ReasonHopeless.String():
		return "it could not be on time anywhere"
	case sched.ReasonKeptHome.String():
		return "the function does not leave this node"
	case sched.ReasonMaxRounds.String():
		return "the policy did not come to an end"
	}
	return ""
}

// expected is a score in seconds as a duration.
func expected(seconds float64) string {
	return span(time.Duration(min(seconds, 1e6) * float64(time.Second)))
}
