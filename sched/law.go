package sched

import "math"

// law is the distribution of a service time: a shifted exponential of mean m
// (seconds) and spread s. A share 1-s of it is fixed and the rest memoryless, so
// s=0 is a step and s=1 the exponential.
type law struct{ mean, spread float64 }

func lawOf(mean, spread float64) law {
	return law{mean, min(1, sane(spread, 1))}
}

// fixed is the part that each service takes, tail the mean of what comes on top.
func (l law) fixed() float64 { return l.mean * (1 - l.spread) }
func (l law) tail() float64  { return l.mean * l.spread }

// within is the chance that a service takes no longer than left seconds.
func (l law) within(left float64) float64 {
	over := left - l.fixed()
	switch tail := l.tail(); {
	case over < 0:
		return 0
	case over >= 40*tail: // as good as sure, and no division by 0
		return 1
	default:
		return 1 - math.Exp(-over/tail)
	}
}

// after is the chance that a service which starts in wait seconds has ended in
// left seconds: a wait is a sum of many services, so it is taken as normal, with
// the variance of as many services as it holds.
func (l law) after(wait, left float64) float64 {
	if wait <= 0 {
		return l.within(left)
	}
	over := left - wait - l.mean
	sd := l.spread * math.Sqrt(l.mean*(wait+l.mean))
	switch {
	case over >= 8*sd:
		return 1
	case over <= -8*sd:
		return 0
	}
	return 0.5 * math.Erfc(-over/(sd*math.Sqrt2))
}
