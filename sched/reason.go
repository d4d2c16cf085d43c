package sched

import "fmt"

// Reason is why a Policy decided as it did: a code that costs nothing on the
// way and becomes text when somebody reads it. Codes cross the wire and are
// kept in records: never renumber them.
type Reason uint8

const (
	ReasonUnknown        Reason = 0
	ReasonFreeServer     Reason = 1  // a server is free here
	ReasonBelowThreshold Reason = 2  // own load is below the threshold
	ReasonOnlyHere       Reason = 3  // no other node can run it
	ReasonHereSooner     Reason = 4  // expected here sooner than there
	ReasonThereSooner    Reason = 5  // expected there sooner than here
	ReasonHopLimit       Reason = 6  // no further hop is allowed
	ReasonNotDeployed    Reason = 7  // the function is not deployed here
	ReasonFull           Reason = 8  // no room here and nowhere better
	ReasonProbing        Reason = 9  // asks peers for their load first
	ReasonLessLoaded     Reason = 10 // a probed peer is less loaded
	ReasonNoneLess       Reason = 11 // no probed peer is less loaded
	ReasonProbesFailed   Reason = 12 // no probe was answered
	ReasonAlways         Reason = 13 // the policy always does this
	ReasonNested         Reason = 14 // borrows the slot of the call that made it
	ReasonFallback       Reason = 15 // the chosen peer failed, next best
	ReasonHopeless       Reason = 16 // cannot be on time anywhere
	ReasonKeptHome       Reason = 17 // the function does not leave this node
	ReasonMaxRounds      Reason = 18 // the policy did not come to an end
	ReasonNoRoomHere     Reason = 19 // no room here, so elsewhere
	ReasonLikelierHere   Reason = 20 // more likely on time here than there
	ReasonLikelierThere  Reason = 21 // more likely on time there than here

	// Of the baselines.
	ReasonDrawn     Reason = 22 // drawn at random
	ReasonTurn      Reason = 23 // its turn
	ReasonMaster    Reason = 24 // the master hands out
	ReasonLag       Reason = 25 // lets the news grow old first
	ReasonShare     Reason = 26 // by the shares of the arrivals
	ReasonIdleToken Reason = 27 // it said that it is idle
	ReasonNoToken   Reason = 28 // nobody said that it is idle
	ReasonLatency   Reason = 29 // the lowest latency promised

	ReasonPulled Reason = 30 // a node with a free server asked for it

	// Of policies that learn.
	ReasonLearned  Reason = 31 // the best by what was learned
	ReasonExplores Reason = 32 // to find out
	ReasonAsking   Reason = 33 // asks a decider elsewhere first
	ReasonAdvised  Reason = 34 // a decider elsewhere says so
)

var reasonText = map[Reason]string{
	ReasonUnknown:        "unknown",
	ReasonFreeServer:     "free-server",
	ReasonBelowThreshold: "below-threshold",
	ReasonOnlyHere:       "only-here",
	ReasonHereSooner:     "here-sooner",
	ReasonThereSooner:    "there-sooner",
	ReasonHopLimit:       "hop-limit",
	ReasonNotDeployed:    "not-deployed-here",
	ReasonFull:           "full",
	ReasonProbing:        "probing",
	ReasonLessLoaded:     "less-loaded",
	ReasonNoneLess:       "none-less-loaded",
	ReasonProbesFailed:   "probes-failed",
	ReasonAlways:         "always",
	ReasonNested:         "nested",
	ReasonFallback:       "fallback",
	ReasonHopeless:       "hopeless",
	ReasonKeptHome:       "kept-home",
	ReasonMaxRounds:      "max-rounds",
	ReasonNoRoomHere:     "no-room-here",
	ReasonLikelierHere:   "likelier-here",
	ReasonLikelierThere:  "likelier-there",
	ReasonDrawn:          "drawn",
	ReasonTurn:           "its-turn",
	ReasonMaster:         "to-the-master",
	ReasonLag:            "lag",
	ReasonShare:          "by-share",
	ReasonIdleToken:      "idle-token",
	ReasonNoToken:        "no-token",
	ReasonLatency:        "lowest-latency",
	ReasonPulled:         "pulled",
	ReasonLearned:        "learned",
	ReasonExplores:       "explores",
	ReasonAsking:         "asking",
	ReasonAdvised:        "advised",
}

func (r Reason) String() string {
	if s, ok := reasonText[r]; ok {
		return s
	}
	return fmt.Sprintf("reason-%d", uint8(r))
}

func (a Action) String() string {
	switch a {
	case Run:
		return "run"
	case Forward:
		return "forward"
	case Refuse:
		return "refuse"
	case Probe:
		return "probe"
	case Wait:
		return "wait"
	case Ask:
		return "ask"
	}
	return fmt.Sprintf("action-%d", uint8(a))
}

func (r Result) String() string {
	switch r {
	case Answered:
		return "answered"
	case Refused:
		return "refused"
	case Expired:
		return "expired"
	case Failed:
		return "failed"
	case Cancelled:
		return "cancelled"
	}
	return fmt.Sprintf("result-%d", uint8(r))
}
