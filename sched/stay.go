package sched

import "math"

// whyAway names what speaks for a peer: what this node cannot do at all, else time.
func whyAway(v *View) Reason {
	switch {
	case !v.Self.Deployed:
		return ReasonNotDeployed
	case !v.Self.Free && !v.Self.Room:
		return ReasonNoRoomHere
	}
	return ReasonThereSooner
}

// stay keeps an invocation that has nowhere else to go, and refuses it if
// there is no place for it here either.
func stay(v *View, why Reason) Decision {
	switch {
	case !v.Self.Deployed:
		return Decision{Action: Refuse, Reason: ReasonNotDeployed}
	case !v.Self.Free && !v.Self.Room:
		return Decision{Action: Refuse, Reason: ReasonFull}
	}
	return Decision{Action: Run, Reason: why}
}

// score leaves out a side that is no option.
func score(here, there float64) Score {
	if math.IsInf(here, 1) {
		here = 0
	}
	return Score{Here: here, There: there}
}
