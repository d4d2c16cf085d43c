package learner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/p2pfaas/p2pfaas/sched"
)

// Headers of P2PFaaS's learner.
const (
	headerState  = "X-P2pfaas-Learning-State"
	headerAction = "X-P2pfaas-Learning-Action"
	headerReward = "X-P2pfaas-Learning-Reward"
	headerEid    = "X-P2pfaas-Learning-Eid"
	headerEps    = "X-P2pfaas-Eps"
	// headerActions, which P2PFaaS has not, lists the actions that are possible now.
	headerActions = "X-P2pfaas-Learning-Actions"
)

// Paths of P2PFaaS's learner.
const (
	pathAct        = "/act"
	pathTrain      = "/train"
	pathTrainBatch = "/train_batch"
)

// Bounds of what is taken from the other side.
const (
	maxState  = 1024    // numbers
	maxAnswer = 1 << 10 // bytes of an answer to a question
	maxBatch  = 4 << 20 // bytes of a batch
	maxChange = 1 << 16 // bytes of a change of parameters
)

// ErrWrong: the other side sent what means nothing here.
var ErrWrong = errors.New("not understood")

// FormatState writes a state as P2PFaaS does: numbers with commas between.
func FormatState(state []float64) string {
	var b []byte
	for i, x := range state {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, x, 'f', -1, 64)
	}
	return string(b)
}

// parseState reads what FormatState writes; "" has no numbers.
func parseState(text string) ([]float64, error) {
	if text == "" {
		return nil, nil
	}
	if commas := strings.Count(text, ","); commas >= maxState {
		return nil, fmt.Errorf("%w: a state of %d numbers, at most %d are taken", ErrWrong, commas+1, maxState)
	}
	var state []float64
	for part := range strings.SplitSeq(text, ",") {
		x, err := parseNumber(part)
		if err != nil {
			return nil, fmt.Errorf("state %.200q: %w", text, err)
		}
		state = append(state, x)
	}
	return state, nil
}

// parseNumber reads a finite number.
func parseNumber(text string) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("%w: %.100q is no finite number", ErrWrong, text)
	}
	return x, nil
}

// parseAction reads the number of an action, which some learners write as "3.0".
func parseAction(text string) (int, error) {
	x, err := parseNumber(text)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > math.MaxInt32 {
		return 0, fmt.Errorf("%w: %.100q is not the number of an action", ErrWrong, text)
	}
	return int(x), nil
}

// parseAdvice reads an action, and epsilon if there is one.
func parseAdvice(action, epsilon string) (a sched.Advice, err error) {
	if a.Action, err = parseAction(action); err != nil {
		return a, err
	}
	if epsilon != "" {
		if a.Epsilon, err = parseNumber(epsilon); err != nil {
			return a, fmt.Errorf("epsilon: %w", err)
		}
	}
	a.OK = true
	return a, nil
}

func formatActions(actions []int) string {
	var b []byte
	for i, action := range actions {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(action), 10)
	}
	return string(b)
}

func parseActions(text string) ([]int, error) {
	state, err := parseState(text)
	actions := make([]int, len(state))
	for i, x := range state {
		if x != math.Trunc(x) || math.Abs(x) > math.MaxInt32 {
			return nil, fmt.Errorf("%w: actions %.200q", ErrWrong, text)
		}
		actions[i] = int(x)
	}
	return actions, err
}

// entry is a lesson in a batch. Numbers may be written as text.
type entry struct {
	Eid    json.Number `json:"eid"`
	State  stateText   `json:"state"`
	Action json.Number `json:"action"`
	Reward json.Number `json:"reward"`
}

// stateText is a state as text; it may also be given as an array.
type stateText string

// UnmarshalJSON implements json.Unmarshaler.
func (s *stateText) UnmarshalJSON(data []byte) error {
	if !bytes.HasPrefix(data, []byte("[")) {
		return json.Unmarshal(data, (*string)(s))
	}
	var numbers []float64
	if err := json.Unmarshal(data, &numbers); err != nil {
		return err
	}
	*s = stateText(FormatState(numbers))
	return nil
}

func entryOf(l *sched.Lesson) entry {
	return entry{
		Eid: json.Number(strconv.FormatUint(l.ID, 10)), State: stateText(FormatState(l.State)),
		Action: json.Number(strconv.Itoa(l.Action)), Reward: json.Number(strconv.FormatFloat(l.Reward, 'g', -1, 64)),
	}
}

// lesson is what an entry says.
func (e *entry) lesson() (sched.Lesson, error) {
	return parseLesson(string(e.Eid), string(e.State), string(e.Action), string(e.Reward))
}

func parseLesson(eid, state, action, reward string) (l sched.Lesson, err error) {
	if l.ID, err = strconv.ParseUint(strings.TrimSpace(eid), 10, 63); err != nil {
		return l, fmt.Errorf("%w: eid %.100q is not a whole number from 0 on", ErrWrong, eid)
	}
	if l.State, err = parseState(state); err != nil {
		return l, err
	}
	if l.Action, err = parseAction(action); err != nil {
		return l, err
	}
	if l.Reward, err = parseNumber(reward); err != nil {
		return l, fmt.Errorf("reward: %w", err)
	}
	return l, nil
}

// parseBatch reads what a batch teaches, or says what is wrong with which.
func parseBatch(data []byte) ([]sched.Lesson, error) {
	var entries []entry
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("%w: a batch is a JSON array of eid, state, action and reward: %w", ErrWrong, err)
	}
	lessons := make([]sched.Lesson, len(entries))
	for i := range entries {
		var err error
		if lessons[i], err = entries[i].lesson(); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return lessons, nil
}

// parseQuestion reads what is sent over the socket: a JSON array of numbers.
func parseQuestion(data []byte) (state []float64, err error) {
	if err := json.Unmarshal(data, &state); err != nil {
		return nil, fmt.Errorf("%w: a state is a JSON array of numbers: %w", ErrWrong, err)
	}
	if len(state) > maxState {
		return nil, fmt.Errorf("%w: a state of %d numbers, at most %d are taken", ErrWrong, len(state), maxState)
	}
	return state, nil
}
