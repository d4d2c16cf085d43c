package mesh

import (
	"math"
	"time"
)

// fitness is how a neighbour does with one function: what is broken there says
// nothing about the neighbour's other functions. It is kept only while it is
// less than full.
type fitness struct {
	health  float64
	breaker breaker
}

// unfit notes that the function could not be answered there.
func (n *neighbour) unfit(function string, now time.Duration) {
	f := n.fitness[function]
	if f == nil {
		if n.fitness == nil {
			n.fitness = make(map[string]*fitness)
		}
		f = &fitness{health: 1}
		n.fitness[function] = f
	}
	f.health *= 1 - healthGain
	if f.health < doubtful {
		f.breaker.failed(now)
	}
}

// fit notes that it was answered.
func (n *neighbour) fit(function string) { delete(n.fitness, function) }

// paused tells whether the function is better not sent there now.
func (n *neighbour) paused(function string, now time.Duration) bool {
	f := n.fitness[function]
	return f != nil && !f.breaker.allows(now)
}

// healthFor is the neighbour's health as far as the function goes.
func (n *neighbour) healthFor(function string) float64 {
	if f := n.fitness[function]; f != nil {
		return n.health * f.health
	}
	return n.health
}

// healFitness forgets some of what went wrong; passed is the time since.
func (n *neighbour) healFitness(passed time.Duration) {
	keeps := math.Exp(-float64(passed) / float64(forgetting))
	for function, f := range n.fitness {
		if f.health = 1 - keeps*(1-f.health); f.health > 0.95 {
			delete(n.fitness, function)
		}
	}
}
