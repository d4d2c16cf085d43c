package rl

import (
	"cmp"
	"math/rand/v2"
)

// Rule says what an [Agent] learns from a transition.
type Rule uint8

const (
	// DifferentialSARSA learns how much better than the average reward the policy
	// in use does: Sutton and Barto, section 10.3, with
	// delta = R - Rbar + Q(S', A') - Q(S, A) and Rbar += beta delta. For work without end.
	DifferentialSARSA Rule = iota
	// SARSA learns the discounted return of the policy in use: section 6.4.
	SARSA
	// QLearning learns that of the best policy, whichever is in use: section 6.5.
	QLearning
)

// Form is how an [Agent] keeps its values.
type Form uint8

const (
	// FormTiles generalises by tile coding.
	FormTiles Form = iota
	// FormTable has a value for each state, its numbers truncated.
	FormTable
)

// AgentConfig is what an [Agent] is. The zero value of a field means its default.
type AgentConfig struct {
	Rule Rule
	Form Form
	// Alpha is the step size, 0.01; Beta that of the average reward, 0.01; Gamma
	// the discount, for SARSA and QLearning.
	Alpha, Beta, Gamma float64
	Exploration        Exploration
	// Usual is the action where nothing speaks for another.
	Usual int
	// Window is how many rewards in order are learned from at once, 10; Gap is how
	// many later ones make one that is missing be given up, 40.
	Window, Gap int
	// Tilings is how many there are, 8; Width is that of a tile in each dimension of
	// a state, 1/8, the last one holding for all further dimensions.
	Tilings int
	Width   []float64
}

// Agent learns from transitions what to do in a state: the learner of the
// policies sarsa and q-learning, also for states and actions of one's own. No
// clock, no goroutine, no lock: one caller at a time.
type Agent struct {
	config   AgentConfig
	explore  Exploration
	values   values
	average  float64 // reward
	sequence sequence
	lastID   uint64
	last     step // the latest in order
	unsound  bool // something was not a number
	stats    AgentStats
}

// AgentStats is how an Agent's learning goes.
type AgentStats struct {
	Inferences uint64  `json:"inferences"`
	Trained    uint64  `json:"trained_items"`
	Lost       uint64  `json:"lost"`
	Epsilon    float64 `json:"epsilon"`
	// Average is the average reward that differential SARSA reckons with.
	Average float64 `json:"average_reward"`
	// States is how many a table has; of tiles, how many weights.
	States int    `json:"states"`
	LastID uint64 `json:"eid_max_seen"`
	NextID uint64 `json:"eid_next"`
}

// NewAgent makes one that knows nothing.
func NewAgent(config AgentConfig) *Agent {
	c := config
	c.Alpha, c.Beta = cmp.Or(c.Alpha, 0.01), cmp.Or(c.Beta, 0.01)
	c.Window, c.Gap, c.Tilings = cmp.Or(c.Window, 10), cmp.Or(c.Gap, 40), cmp.Or(c.Tilings, 8)
	if len(c.Width) == 0 {
		c.Width = []float64{1.0 / 8}
	}
	a := &Agent{config: c, explore: c.Exploration, sequence: newSequence(c.Window, c.Gap)}
	a.values = newTiles(c.Tilings, c.Width...)
	if c.Form == FormTable {
		a.values = newTable()
	}
	return a
}

// Act chooses one of the actions, which must be some: mostly the best, now and
// then any.
func (a *Agent) Act(state []float64, actions Actions, rng *rand.Rand) (action int, explored bool) {
	a.stats.Inferences++
	if a.explore.explores(rng) {
		return actions.any(rng), true
	}
	return a.Best(state, actions), false
}

// Best is the action of the highest value; of equals the usual one, else the lowest.
func (a *Agent) Best(state []float64, actions Actions) int {
	return a.values.best(state, actions, a.config.Usual)
}

// Value is Q(state, action).
func (a *Agent) Value(state []float64, action int) float64 { return a.values.at(state, action) }

// forget has an action mean something else from now on.
func (a *Agent) forget(action int) {
	if t, ok := a.values.(*table); ok {
		t.forget(action)
	}
}

// Transition is what followed on an action.
type Transition struct {
	State  []float64
	Action int
	Reward float64
	// Terminal tells that an episode ended with it: the rest is then of no account.
	Terminal bool
	Next     []float64
	// NextAction is what was done next, for the rules of SARSA; NextActions is what
	// could have been, for QLearning.
	NextAction  int
	NextActions Actions
}

// Learn takes in one transition.
func (a *Agent) Learn(t *Transition) {
	a.stats.Trained++
	value := a.values.at(t.State, t.Action)
	delta := t.Reward - value
	if a.config.Rule == DifferentialSARSA {
		delta -= a.average
	}
	if !t.Terminal {
		delta += a.future(t)
	}
	if !finite(delta) {
		a.unsound = true
		return
	}
	if a.config.Rule == DifferentialSARSA {
		a.average += a.config.Beta * delta
	}
	a.values.move(t.State, t.Action, a.config.Alpha*delta)
}

// future is what a transition promises beyond its reward.
func (a *Agent) future(t *Transition) float64 {
	switch a.config.Rule {
	case DifferentialSARSA:
		return a.values.at(t.Next, t.NextAction)
	case SARSA:
		return a.config.Gamma * a.values.at(t.Next, t.NextAction)
	default:
		return a.config.Gamma * a.values.at(t.Next, a.Best(t.Next, t.NextActions))
	}
}

// Opened tells what was done, before its reward is known. The id is for Rewarded.
func (a *Agent) Opened(state []float64, actions Actions, action int) (id uint64) {
	a.lastID++
	a.sequence.open(a.lastID, state, actions, action)
	return a.lastID
}

// Rewarded tells the reward of what was done, in any order. It tells whether that
// was still waited for.
func (a *Agent) Rewarded(id uint64, reward float64) bool {
	if !a.sequence.close(id, reward) {
		return false
	}
	a.drain()
	return true
}

// Train is Opened and Rewarded at once, for ids that are counted elsewhere, from
// 1 on. All actions were possible.
func (a *Agent) Train(id uint64, state []float64, action int, reward float64) bool {
	a.lastID = max(a.lastID, id)
	a.sequence.open(id, state, ^Actions(0), action)
	return a.Rewarded(id, reward)
}

// drain learns from what has come into order.
func (a *Agent) drain() {
	s, joined := a.sequence.pop(false)
	for ; s != nil; s, joined = a.sequence.pop(true) {
		if joined && a.last.id != 0 {
			a.Learn(&Transition{
				State: a.last.state, Action: a.last.action, Reward: a.last.reward,
				Next: s.state, NextAction: s.action, NextActions: s.actions,
			})
		}
		state := append(a.last.state[:0], s.state...)
		a.last = *s
		a.last.state = state
	}
}

// Stats tells how it goes.
func (a *Agent) Stats() AgentStats {
	s := a.stats
	s.Lost, s.Epsilon, s.Average = a.sequence.lost, a.explore.Epsilon(), a.average
	s.States, s.LastID, s.NextID = a.values.size(), a.lastID, a.sequence.next
	return s
}
