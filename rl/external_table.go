package rl

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/p2pfaas/p2pfaas/sched"
)

// TableLearner is the learner that P2PFaaS serves to its schedulers, by its names
// for parameters and figures: an [Agent] of differential SARSA over a table. For one
// scheduler, as P2PFaaS has it: two would count their steps alike. No lock: one
// caller at a time.
//
// Other than P2PFaaS's, its average reward follows the textbook; states are told
// apart by place; parameters hold at once; what is trained twice counts once; a
// step that never comes is given up; and one whose count begins anew is followed.
type TableLearner struct {
	params  TableParameters
	rand    *rand.Rand
	agent   *Agent
	windows uint64
	late    int // lessons in a row that were too old
	widest  int // beyond all actions that were trained
}

// TableParameters are a [TableLearner]'s, in JSON by P2PFaaS's names.
type TableParameters struct {
	// Actions is how many there are where nobody says which are possible: 3 and one
	// for each neighbour.
	Actions int     `json:"actions_n"`
	Alpha   float64 `json:"alpha"`
	Beta    float64 `json:"beta"`
	// Window is how many rewards in order are learned from at once.
	Window       int     `json:"window_size"`
	EpsilonStart float64 `json:"epsilon_start"`
	EpsilonMin   float64 `json:"epsilon_min"`
	// EpsilonDecay multiplies epsilon at each act, if Decays.
	EpsilonDecay float64 `json:"epsilon_decay"`
	Decays       bool    `json:"epsilon_decay_enabled"`
	// Missing is how many later rewards make one that is missing be given up.
	Missing int `json:"entry_missing_max_attempts"`
}

// DefaultTableParameters are P2PFaaS's, with room for eight neighbours.
func DefaultTableParameters() TableParameters {
	return TableParameters{
		Actions: 11, Alpha: 0.01, Beta: 0.01, Window: 5,
		EpsilonStart: 0.9, EpsilonMin: 0.1, EpsilonDecay: 0.99, Decays: true, Missing: 100,
	}
}

// NewTableLearner knows nothing yet.
func NewTableLearner(rng *rand.Rand) *TableLearner {
	l := &TableLearner{params: DefaultTableParameters(), rand: rng}
	l.Reset()
	return l
}

func (p *TableParameters) check() error {
	for _, x := range []struct {
		name            string
		value, low, top float64
	}{
		{"actions_n", float64(p.Actions), 1, MaxActions},
		{"alpha", p.Alpha, 1e-6, 1}, {"beta", p.Beta, 1e-6, 1},
		{"window_size", float64(p.Window), 1, 1000},
		{"epsilon_start", p.EpsilonStart, 0, 1}, {"epsilon_min", p.EpsilonMin, 0, 1}, {"epsilon_decay", p.EpsilonDecay, 0, 1},
		{"entry_missing_max_attempts", float64(p.Missing), 1, 1000},
	} {
		if !(x.value >= x.low && x.value <= x.top) {
			return fmt.Errorf("%s %v: want %v to %v", x.name, x.value, x.low, x.top)
		}
	}
	return nil
}

func (p *TableParameters) exploration() Exploration {
	e := Exploration{Start: p.EpsilonStart, Decay: p.EpsilonDecay, Least: p.EpsilonMin}
	if !p.Decays {
		e.Decay, e.Least = 1, 0
	}
	return e
}

// Parameters are those in force.
func (l *TableLearner) Parameters() any { return l.params }

// SetParameters changes those that are in the JSON, at once; what was learned
// stays. Epsilon begins anew if one of its own is among them, the order of rewards
// if the window is.
func (l *TableLearner) SetParameters(text []byte) error {
	p := l.params
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	was := l.params
	l.params = p
	l.agent.config.Alpha, l.agent.config.Beta = p.Alpha, p.Beta
	if p.exploration() != was.exploration() {
		l.agent.explore = p.exploration()
	}
	if p.Window != was.Window || p.Missing != was.Missing {
		l.restart(l.agent.sequence.next)
	}
	return nil
}

// restart puts rewards in order from that id on.
func (l *TableLearner) restart(id uint64) {
	lost := l.agent.sequence.lost
	l.agent.sequence = newSequence(l.params.Window, l.params.Missing)
	l.agent.sequence.next, l.agent.sequence.lost, l.agent.sequence.broken = id, lost, true
	l.late = 0
}

// Act chooses one of the actions, of all actions_n if none are named. Epsilon is
// the share of answers that explore.
func (l *TableLearner) Act(state []float64, actions []int) (action int, epsilon float64) {
	var possible Actions
	for _, a := range actions {
		if a >= 0 && a < MaxActions {
			possible |= 1 << a
		}
	}
	if possible == 0 {
		possible = AllActions(l.params.Actions)
	}
	epsilon = l.agent.explore.Epsilon()
	action, _ = l.agent.Act(state, possible, l.rand)
	return action, epsilon
}

// Train takes in a lesson. One that came before, or is given up, changes nothing.
func (l *TableLearner) Train(lesson *sched.Lesson) error {
	switch {
	case lesson.Action < 0 || lesson.Action >= MaxActions:
		return fmt.Errorf("action %d: there may be 0 to %d", lesson.Action, MaxActions-1)
	case !finite(lesson.Reward):
		return fmt.Errorf("reward %v is no number to learn from", lesson.Reward)
	case lesson.ID == math.MaxUint64:
		return fmt.Errorf("eid %d is too large", lesson.ID)
	}
	id := lesson.ID + 1 // an Agent's begin at 1
	if l.agent.lastID == 0 {
		l.restart(id) // the first that comes is the first that counts
	}
	if id < l.agent.sequence.next {
		if l.late++; l.late <= l.params.Missing {
			return nil
		}
		l.restart(id) // who counts them began anew
	}
	l.late, l.widest = 0, max(l.widest, lesson.Action+1)
	before := l.agent.stats.Trained
	l.agent.Train(id, lesson.State, lesson.Action, lesson.Reward)
	if l.agent.stats.Trained > before {
		l.windows++
	}
	if l.agent.unsound {
		l.Reset()
	}
	return nil
}

// TableStats are a [TableLearner]'s, in JSON by P2PFaaS's names.
type TableStats struct {
	Inferences uint64  `json:"inferences"`
	Trained    uint64  `json:"trained_items"`
	Epsilon    float64 `json:"epsilon"`
	// Episodes counts the windows that were learned from.
	Episodes    uint64  `json:"episodes"`
	Pending     int     `json:"pending_entries"`
	Max         uint64  `json:"eid_max_seen"`
	LastTrained uint64  `json:"eid_last_trained"`
	Lost        uint64  `json:"lost"`
	Average     float64 `json:"average_reward"`
	States      int     `json:"states"`
}

// Stats tells how learning goes.
func (l *TableLearner) Stats() any {
	s := l.agent.Stats()
	return TableStats{
		Inferences: s.Inferences, Trained: s.Trained, Epsilon: s.Epsilon, Episodes: l.windows,
		Pending: l.agent.sequence.ready, Max: max(s.LastID, 1) - 1, LastTrained: max(l.agent.last.id, 1) - 1,
		Lost: s.Lost, Average: s.Average, States: s.States,
	}
}

// TableWeights is a Q table as P2PFaaS tells it.
type TableWeights struct {
	Actions map[string]int `json:"actions_map"` // columns, by action
	States  map[string]int `json:"states_map"`  // rows, by state
	Table   [][]float64    `json:"table"`
}

// Weights is what was learned, rows in the order of the states' texts.
func (l *TableLearner) Weights() any {
	w := TableWeights{Actions: make(map[string]int), States: make(map[string]int), Table: [][]float64{}}
	columns := max(l.params.Actions, l.widest)
	for action := range columns {
		w.Actions[strconv.Itoa(action)] = action
	}
	rows := l.agent.values.(*table).rows
	texts := make(map[string]*row, len(rows))
	for packed, row := range rows {
		texts[stateText(packed)] = row
	}
	names := make([]string, 0, len(texts))
	for text := range texts {
		names = append(names, text)
	}
	slices.Sort(names)
	for i, text := range names {
		w.States[text] = i
		w.Table = append(w.Table, slices.Clone(texts[text].values[:columns]))
	}
	return w
}

// stateText writes a row's state as its numbers with commas between.
func stateText(packed string) string {
	var parts []string
	for rest := []byte(packed); len(rest) > 0; {
		x, n := binary.Varint(rest)
		if n <= 0 {
			break
		}
		parts = append(parts, strconv.FormatInt(x, 10))
		rest = rest[n:]
	}
	return strings.Join(parts, ",")
}

// Reset forgets what was learned and keeps the parameters.
func (l *TableLearner) Reset() {
	l.agent = NewAgent(AgentConfig{
		Form: FormTable, Alpha: l.params.Alpha, Beta: l.params.Beta,
		Window: l.params.Window, Gap: l.params.Missing, Exploration: l.params.exploration(),
	})
	l.windows, l.late, l.widest = 0, 0, 0
}
