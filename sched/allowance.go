package sched

// allowance keeps the messages that a node spends on asking for work within what
// it earns by serving (rule 8). It pays for an ask in advance, as it may be
// passed on, and gets back what was not used.
type allowance struct {
	earns  float64 // messages for each invocation served
	most   float64
	tokens float64
}

// askCosts is the most that one ask takes: itself, two passings on, the no.
const askCosts = 2 + maxPasses

func (a *allowance) served() { a.tokens = min(a.most, a.tokens+a.earns) }

func (a *allowance) affords() bool { return a.tokens >= askCosts }

func (a *allowance) pay() { a.tokens -= askCosts }

func (a *allowance) refund(used int) {
	a.tokens = min(a.most, a.tokens+max(0, askCosts-float64(used)))
}
