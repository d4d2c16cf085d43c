package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// law is a class's distribution of service times.
type law struct {
	mean   float64 // nanoseconds
	fast   float64 // the 10th percentile over the mean
	spread float64 // standard deviation over mean, at most 1
	draw   func(*rand.Rand) float64
}

func (c *Class) law() law {
	l := law{mean: float64(c.Service)}
	switch c.Distribution {
	case Fixed:
		l.fast, l.draw = 1, func(*rand.Rand) float64 { return 1 }
	case Lognormal:
		const tenth = -1.2815515655446004 // of the standard normal
		s := c.Sigma
		l.fast = math.Exp(tenth*s - s*s/2)
		l.spread = min(1, math.Sqrt(math.Expm1(s*s)))
		l.draw = func(r *rand.Rand) float64 { return lognormal(r, s) }
	case Uniform:
		l.fast, l.spread = 0.2, 1/math.Sqrt(3)
		l.draw = func(r *rand.Rand) float64 { return 2 * r.Float64() }
	default:
		l.fast, l.spread = -math.Log(0.9), 1
		l.draw = (*rand.Rand).ExpFloat64
	}
	return l
}

// lognormal is of mean 1.
func lognormal(r *rand.Rand, sigma float64) float64 {
	return math.Exp(sigma*r.NormFloat64() - sigma*sigma/2)
}

// service is what a node knows of one class: its mean is taken as known on a
// node of speed 1, how much longer it takes here and how it spreads is measured.
type service struct {
	law   *law
	stats sched.ServiceStats
}

// get is the service time on a node that is rel times as slow as nominal.
func (s *service) get(rel float64) sched.Service {
	mean := s.law.mean * rel
	return sched.Service{
		Mean: time.Duration(mean), P10: time.Duration(mean * s.law.fast), Spread: s.stats.Service().Spread,
	}
}
