package rl

import (
	"encoding/binary"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// mostStates bounds the states of a table that are told of, those visited most first.
const mostStates = 24

// Explain implements sched.Explainer.
func (p *temporal) Explain(peers []peer.ID) (all []sched.Explanation) {
	agents := make(map[string]*Agent, len(p.agents.entries))
	for function, e := range p.agents.entries {
		agents[function] = e.value
	}
	for _, function := range most(agents, mostExplained, moved) {
		a := agents[function]
		e := sched.Explanation{Function: function, Outcomes: uint64(moved(a))}
		switch values := a.values.(type) {
		case *tiles:
			e.Sentences = a.inTypicalStates()
		case *table:
			e.Sentences = p.inStates(a, values, peers)
		}
		if g, gated := p.gates.entries[function]; gated {
			e.Sentences = append(e.Sentences, g.value.atTheGate(p.form)...)
		}
		all = append(all, e)
	}
	return all
}

// loaded is how full a node is, in words.
type loaded struct {
	text string
	fill float64
}

// inTypicalStates tells what is done in some states of the form tiles.
func (a *Agent) inTypicalStates() (all []sched.Sentence) {
	for _, own := range []loaded{{"just busy", 1. / 2}, {"one waiting for each server", 2. / 3}, {"three waiting for each server", 4. / 5}} {
		for _, drawn := range []loaded{{"idle", 0}, {"just busy", 1. / 2}, {"three waiting for each server", 4. / 5}} {
			text := a.preference([]float64{own.fill, drawn.fill}, AllActions(actionDrawn+1))
			all = append(all, sched.Sentence{Text: fmt.Sprintf("this node %s, the peer drawn %s: %s", own.text, drawn.text, text)})
		}
	}
	return all
}

// inStates tells what is done in the states that a table knows best.
func (p *temporal) inStates(a *Agent, t *table, peers []peer.ID) (all []sched.Sentence) {
	actions := Actions(1)<<actionRefuse | 1<<actionHere | 1<<actionProbe
	for _, id := range peers {
		if column, known := p.columns.of[id]; known {
			actions |= 1 << column
		}
	}
	for _, key := range most(t.rows, mostStates, (*row).evidence) {
		state, ok := stateOf(key, 3)
		if !ok {
			continue
		}
		s := sched.Sentence{Text: fmt.Sprintf("task type %.0f, %.0f running and %.0f waiting here: %s", state[0], state[1], state[2], a.preference(state, actions))}
		if best := a.Best(state, actions); best >= actionPeers {
			s.Peer = p.columns.peers[best]
		}
		all = append(all, s)
	}
	return all
}

// stateOf reads the key of a table's row.
func stateOf(key string, dimensions int) (state []float64, ok bool) {
	rest := []byte(key)
	for len(rest) > 0 {
		x, n := binary.Varint(rest)
		if n <= 0 {
			return nil, false
		}
		state, rest = append(state, float64(x)), rest[n:]
	}
	return state, len(state) == dimensions
}

// atTheGate tells when what a peer forwards is refused. In the form tiles fills are
// shares, in the form table they are counts.
func (a *Agent) atTheGate(form string) (all []sched.Sentence) {
	for _, own := range []loaded{{"just busy", 1. / 2}, {"three waiting for each server", 4. / 5}} {
		for _, tight := range []float64{0.25, 0.75} {
			state := []float64{own.fill, tight}
			if form == formTable {
				state = []float64{own.fill / (1 - own.fill), float64(int(8 * tight))}
			}
			all = append(all, sched.Sentence{Text: fmt.Sprintf("sent here by a peer, this node %s, the wait takes %s of the time left: %s",
				own.text, percent(tight), a.preference(state, AllActions(actionHere+1)))})
		}
	}
	return all
}

// preference is the best action in a state, and how sure that is: by how much its
// value is above the next one's.
func (a *Agent) preference(state []float64, actions Actions) string {
	best := a.Best(state, actions)
	rest := actions &^ (1 << best)
	second := a.values.best(state, rest, rest.first())
	gap := a.Value(state, best) - a.Value(state, second)
	if gap == 0 {
		return actionText(best) + ", as nothing speaks for another"
	}
	return fmt.Sprintf("%s, %.2f of reward before %s", actionText(best), gap, actionText(second))
}

// actionText is an action in words.
func actionText(action int) string {
	switch action {
	case actionRefuse:
		return "refuse"
	case actionHere:
		return "run here"
	case actionProbe:
		return "probe"
	}
	return "forward"
}

// moved is how many outcomes have moved values, about: of each tile and each state's
// action only mostVisits are counted.
func moved(a *Agent) float64 {
	parts := agentParts{}
	switch values := a.values.(type) {
	case *tiles:
		parts.tiles = values
		return parts.evidence() / float64(values.tilings)
	case *table:
		parts.table = values
	}
	return parts.evidence()
}
