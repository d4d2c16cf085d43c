package rl

import "github.com/p2pfaas/p2pfaas/sched"

// Step implements sched.Stepper.
func (p *external) Step(token uint64) (sched.Step, bool) {
	e := p.ledger.find(token)
	if e == nil || e.phase != phaseStep {
		return sched.Step{}, false
	}
	return e.step, true
}

// Step implements sched.Stepper, for steps whose reward is still waited for. Their
// IDs are the agent's.
func (p *temporal) Step(token uint64) (sched.Step, bool) {
	e := p.ledger.find(token)
	if e == nil || e.agent == nil {
		return sched.Step{}, false
	}
	s := e.agent.sequence.at(e.id)
	if s.id != e.id {
		return sched.Step{}, false
	}
	return sched.Step{ID: e.id, State: s.state, Action: s.action, Epsilon: e.agent.explore.Epsilon()}, true
}

// find is close without an end.
func (l *ledger[R]) find(token uint64) *R {
	if token == 0 || len(l.slots) == 0 {
		return nil
	}
	if s := l.at(token); s.token == token {
		return &s.record
	}
	return nil
}
