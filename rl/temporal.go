package rl

import (
	"fmt"

	"github.com/p2pfaas/p2pfaas/sched"
)

// temporal learns the whole decision from its consequences, without a model:
// the policies sarsa and q-learning of the literature. What waits is served in the
// order of arrival, and idle nodes ask for nothing.
//
// In the form table states and actions are those of P2PFaaS: the state is the task
// type and what runs and waits here; the actions are to refuse, to run here, to probe
// one peer and forward to it if it has less to do, and to forward to a certain peer. What
// came from a peer runs here. One agent decides on all functions.
//
// In the form tiles the state is how full this node and a peer drawn are; the
// actions are to refuse, to run here, to forward to that peer and to probe two. A free
// server here always runs it. Each function has its agent.
type temporal struct {
	name    string
	form    string
	config  AgentConfig
	accept  bool
	refusal float64

	ground  ground // draws peers, and decides in a fallback
	safety  safety
	reward  reward
	tally   tally
	agents  lru[string, Agent]
	gates   lru[string, Agent]
	columns columns
	ledger  ledger[acted]
	scratch scratch
}

const (
	formTiles = "tiles"
	formTable = "table"
)

// acted is what is remembered of a decision until its outcome.
type acted struct {
	agent *Agent // nil if the decision was not an agent's
	id    uint64 // the agent's
	by    decider
	// probed tells that the invocation probed, gated that it came from a peer.
	probed, gated bool
}

func newSARSA(s *sched.Settings) sched.Policy {
	return newTemporal(s, "sarsa", DifferentialSARSA)
}

func newQLearning(s *sched.Settings) sched.Policy {
	return newTemporal(s, "q-learning", QLearning)
}

func newTemporal(s *sched.Settings, name string, rule Rule) *temporal {
	p := &temporal{name: name, ground: newGround(new(sched.Settings)), columns: newColumns()}
	p.config.Rule, p.config.Usual = rule, actionHere
	p.agents = newLRU[string](mostFunctions, p.newAgent)
	p.gates = newLRU[string](mostFunctions, p.newAgent)
	s.Choice(&p.form, "form", []string{formTiles, formTable}, "tiles: tile coding over loads; table: the states and actions of P2PFaaS")
	s.Float(&p.config.Alpha, "alpha", 0.05, 1e-6, 1, "step size")
	if rule == DifferentialSARSA {
		s.Float(&p.config.Beta, "beta", 0.01, 1e-6, 1, "step size of the average reward")
	} else {
		s.Float(&p.config.Gamma, "gamma", 0.5, 0, 0.999, "discount of rewards to come")
	}
	p.config.Exploration.bind(s, 0.9, 0.9995, 0.05)
	s.Int(&p.config.Window, "window", 10, 1, 1000, "rewards that are put in order before they are learned from")
	s.Int(&p.config.Gap, "gap", 40, 1, 1000, "later rewards after which one that is missing is given up")
	s.Bool(&p.accept, "accept", false, "learn to refuse what peers forward here, too")
	s.Float(&p.refusal, "refusal", 0.5, -1, 1, "reward for refusing what a peer has forwarded (with accept)")
	p.reward.bind(s)
	p.safety.bind(s, false)
	return p
}

// newAgent is made when the parameters are known.
func (p *temporal) newAgent() *Agent {
	c := p.config
	if p.form == formTable {
		c.Form = FormTable
	}
	return NewAgent(c)
}

// Describe implements sched.Describer.
func (p *temporal) Describe() string {
	return fmt.Sprintf("%s: learns from rewards alone what to do, in the form %s (alpha %v, window %d, gap %d, accept %t)",
		p.name, p.form, p.config.Alpha, p.config.Window, p.config.Gap, p.accept)
}

// Report implements sched.Notified.
func (p *temporal) Report(n sched.News) { p.ground.Report(n) }

// Decide implements sched.Policy.
func (p *temporal) Decide(v *sched.View, r *sched.Request) sched.Decision {
	if p.safety.look(v.Now) {
		p.eachAgent(func(a *Agent) { a.explore.resume() })
	}
	if r.Nested && v.Self.Deployed {
		return sched.Decision{Action: sched.Run, Reason: sched.ReasonNested}
	}
	if r.Round > 0 {
		return p.second(v, r)
	}
	p.failed(r.Token)
	by := p.decider(v)
	if by != byLearned {
		return p.leave(p.ground.Decide(v, r), by)
	}
	return p.act(v, r)
}

func (p *temporal) decider(v *sched.View) decider {
	switch {
	case p.safety.state != sched.Learned:
		return byDefault
	case !p.safety.fallback:
		return byLearned
	case p.tally.outcomes < uint64(p.safety.warmUp):
		return byDefault
	case v.Rand.Float64() < p.safety.holdout:
		return byHoldout
	}
	return byLearned
}

// leave books a decision that no agent made.
func (p *temporal) leave(d sched.Decision, by decider) sched.Decision {
	token, e := p.ledger.open()
	*e = acted{by: by}
	d.Token = token
	p.tally.decided(&d, by)
	return d
}

// eachAgent visits all of them, in no order.
func (p *temporal) eachAgent(visit func(*Agent)) {
	for _, e := range p.agents.entries {
		visit(e.value)
	}
	for _, e := range p.gates.entries {
		visit(e.value)
	}
}

// Observe implements sched.Observer.
func (p *temporal) Observe(o sched.Outcome) {
	e := p.ledger.close(o.Decision.Token)
	switch {
	case e == nil:
		return
	case o.Result == sched.Cancelled: // its caller's doing, and nobody's fault
		p.safety.heard(byNobody, false)
		return
	}
	p.safety.heard(e.by, o.OnTime)
	reward := p.reward.of(&o, e.probed)
	if e.gated && o.Decision.Action == sched.Refuse {
		reward = p.refusal
	}
	p.tally.rewarded(reward)
	p.teach(e, reward)
}

// failed has an attempt that came to nothing earn the least.
func (p *temporal) failed(token uint64) {
	if e := p.ledger.close(token); e != nil {
		p.teach(e, p.reward.least())
	}
}

func (p *temporal) teach(e *acted, reward float64) {
	if e.agent == nil {
		return
	}
	if e.agent.Rewarded(e.id, reward); e.agent.unsound {
		p.forget()
	}
}

// forget begins anew.
func (p *temporal) forget() {
	clear(p.agents.entries)
	clear(p.gates.entries)
	p.safety.broken()
}

// Learning implements sched.Learner.
func (p *temporal) Learning() sched.Learning {
	l := p.tally.learning(&p.safety)
	l.Functions = len(p.agents.entries)
	l.Lost = p.ledger.lost
	p.eachAgent(func(a *Agent) {
		l.Epsilon = max(l.Epsilon, a.explore.Epsilon())
		l.Lost += a.sequence.lost
	})
	return l
}
