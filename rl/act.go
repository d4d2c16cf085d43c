package rl

import (
	"math"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// scratch is memory that a decision needs, and the next one again.
type scratch struct {
	state  [3]float64
	probes [2]peer.ID
}

// act decides, without any answers to probes yet.
func (p *temporal) act(v *sched.View, r *sched.Request) sched.Decision {
	if r.External() && v.Self.Deployed {
		return p.receive(v, r)
	}
	if p.form == formTable {
		return p.actOnTable(v, r)
	}
	return p.actOnTiles(v, r)
}

// receive decides on what a peer has forwarded here: it runs, unless this node
// learns to refuse.
func (p *temporal) receive(v *sched.View, r *sched.Request) sched.Decision {
	local := stay(v)
	if !p.accept || local.Action == sched.Refuse || v.Self.Free {
		return p.leave(local, byNobody)
	}
	state := p.scratch.state[:2]
	state[0] = fill(v.Self.Load.Total(), v.Self.Load.Servers)
	state[1] = probability(tight(v, r))
	if p.form == formTable {
		state[0], state[1] = float64(v.Self.Load.Total()), math.Floor(8*state[1])
	}
	gate := p.gates.get(r.Function)
	action, explored := gate.Act(state, AllActions(actionHere+1), v.Rand)
	if action == actionRefuse {
		local.Action = sched.Refuse
	}
	local.Reason = why(explored)
	return p.book(local, acted{agent: gate, id: gate.Opened(state, AllActions(actionHere+1), action), gated: true})
}

// tight is how much of the time left the wait here will take.
func tight(v *sched.View, r *sched.Request) float64 {
	if r.Deadline <= 0 {
		return 0
	}
	return float64(v.Self.Load.Wait) / float64(r.Deadline)
}

// actOnTable is P2PFaaS's.
func (p *temporal) actOnTable(v *sched.View, r *sched.Request) sched.Decision {
	state := p.scratch.state[:3]
	state[0], state[1], state[2] = r.TaskType, float64(v.Self.Load.Running), float64(v.Self.Load.Queued)
	agent := p.agents.get("")
	actions := Actions(1) << actionRefuse
	p.columns.turn++
	if v.Self.Deployed {
		actions |= 1 << actionHere
	}
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		if n.ID == v.Self.ID || r.HasVisited(n.ID) {
			continue
		}
		actions |= 1 << actionProbe
		column, fresh, ok := p.columns.get(n.ID)
		if fresh {
			agent.forget(column)
		}
		if ok {
			actions |= 1 << column
		}
	}
	action, explored := agent.Act(state, actions, v.Rand)
	d := because(p.perform(v, r, action, ""), explored)
	return p.book(d, acted{agent: agent, id: agent.Opened(state, actions, action)})
}

// actOnTiles is that of the reference.
func (p *temporal) actOnTiles(v *sched.View, r *sched.Request) sched.Decision {
	w := p.ground.Weigh(v, r)
	if !w.Open {
		return p.leave(w.Decision, byNobody)
	}
	drawn := &v.Neighbours[w.Peer]
	state := p.scratch.state[:2]
	state[0] = fill(v.Self.Load.Total(), v.Self.Load.Servers)
	state[1] = fill(drawn.Queue(), drawn.Load.Servers)
	agent := p.agents.get(r.Function)
	actions := AllActions(actionDrawn + 1)
	if math.IsInf(w.Here.Finish, 1) {
		actions &^= 1 << actionHere
	}
	action, explored := agent.Act(state, actions, v.Rand)
	d := because(p.perform(v, r, action, drawn.ID), explored)
	return p.book(d, acted{agent: agent, id: agent.Opened(state, actions, action)})
}

// because gives a decision its reason. That nothing can run here has one already,
// which tells the caller that a better moment may come.
func because(d sched.Decision, explored bool) sched.Decision {
	if d.Action != sched.Refuse || d.Reason == sched.ReasonUnknown {
		d.Reason = why(explored)
	}
	return d
}

func why(explored bool) sched.Reason {
	if explored {
		return sched.ReasonExplores
	}
	return sched.ReasonLearned
}

// perform is the decision for an action; drawn is the peer of actionDrawn.
func (p *temporal) perform(v *sched.View, r *sched.Request, action int, drawn peer.ID) sched.Decision {
	switch action {
	case actionRefuse:
		return sched.Decision{Action: sched.Refuse}
	case actionHere:
		return stay(v)
	case actionProbe:
		return sched.Decision{Action: sched.Probe, Probes: p.draw(v, r)}
	}
	if drawn == "" {
		drawn = p.columns.peers[action]
	}
	return sched.Decision{Action: sched.Forward, Peer: drawn}
}

// draw draws whom to probe: one peer in the form table, two in the form tiles.
func (p *temporal) draw(v *sched.View, r *sched.Request) []peer.ID {
	most := len(p.scratch.probes)
	if p.form == formTable {
		most = 1
	}
	probes := p.scratch.probes[:0]
	seen := 0
	for i := range v.Neighbours { // a sample of that size, in one pass
		n := &v.Neighbours[i]
		if n.ID == v.Self.ID || r.HasVisited(n.ID) {
			continue
		}
		seen++
		if len(probes) < most {
			probes = append(probes, n.ID)
		} else if at := v.Rand.IntN(seen); at < most {
			probes[at] = n.ID
		}
	}
	return probes
}

// book remembers an agent's decision and marks it.
func (p *temporal) book(d sched.Decision, e acted) sched.Decision {
	token, record := p.ledger.open()
	e.by, e.probed = byLearned, d.Action == sched.Probe
	*record, d.Token = e, token
	p.tally.decided(&d, byLearned)
	return d
}

// second decides once probes are answered: for the least loaded of the peers, if it
// has less to do than this node.
func (p *temporal) second(v *sched.View, r *sched.Request) sched.Decision {
	d := stay(v)
	most := v.Self.Load.Total()
	if d.Action == sched.Refuse {
		most = math.MaxInt
	}
	d.Reason = sched.ReasonNoneLess
	for _, id := range r.Probed {
		if n := v.Neighbour(id); n != nil && !r.HasVisited(id) && n.Queue() < most {
			most = n.Queue()
			d = sched.Decision{Action: sched.Forward, Peer: id, Reason: sched.ReasonLessLoaded}
		}
	}
	d.Token = r.Token
	return d
}

// stay runs it here, or refuses it if that cannot be.
func stay(v *sched.View) sched.Decision {
	switch {
	case !v.Self.Deployed:
		return sched.Decision{Action: sched.Refuse, Reason: sched.ReasonNotDeployed}
	case !v.Self.Free && !v.Self.Room:
		return sched.Decision{Action: sched.Refuse, Reason: sched.ReasonFull}
	}
	return sched.Decision{Action: sched.Run, Reason: sched.ReasonAlways}
}
