package rl

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// statement is what one node tells the others; see the wire's specification.
type statement struct {
	Version int `json:"version"`
	// Features is as in a snapshot.
	Features  string              `json:"features"`
	Functions []statementFunction `json:"functions"`
}

type statementFunction struct {
	Name string `json:"name"`
	// Weights are numbers of weights, their values, and from how many outcomes.
	Weights [][3]float64 `json:"weights,omitempty"`
	// Peers are values and numbers of outcomes.
	Peers map[key][2]float64 `json:"peers,omitempty"`
}

const (
	statementVersion = 1
	// mostTold bounds the functions of a statement, mostName the bytes of a name.
	mostTold = 64
	mostName = 256
)

// encode tells of as many functions, in that order, as there is room for.
func encode(features string, order []string, accounts map[string]account) []byte {
	s := statement{Version: statementVersion, Features: features, Functions: []statementFunction{}}
	frame, err := json.Marshal(s)
	if err != nil {
		return nil // it is plain text
	}
	room := sched.MaxShared - len(frame)
	for _, name := range order[:min(len(order), mostTold)] {
		f := accounts[name].told(name)
		raw, err := json.Marshal(f)
		if err != nil || len(raw)+1 > room {
			continue
		}
		room -= len(raw) + 1
		s.Functions = append(s.Functions, f)
	}
	if len(s.Functions) == 0 {
		return nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil // its parts could be written
	}
	return data
}

const (
	// mostSaid bounds the weights of a function that are told, those of the most
	// outcomes: half a message at most.
	mostSaid = 512
	// digits are enough of a value.
	digits = 1e4
)

func (a account) told(name string) statementFunction {
	f := statementFunction{Name: name, Peers: make(map[key][2]float64, len(a.peers))}
	count := func(c claim) float64 { return c.count }
	for _, i := range most(a.weights, mostSaid, count) {
		c := a.weights[i]
		f.Weights = append(f.Weights, [3]float64{float64(i), short(c.value), short(c.count)})
	}
	slices.SortFunc(f.Weights, func(x, y [3]float64) int { return int(x[0] - y[0]) })
	for _, id := range most(a.peers, mostArms, count) {
		c := a.peers[id]
		f.Peers[key{id}] = [2]float64{short(c.value), short(c.count)}
	}
	return f
}

func short(x float64) float64 { return math.Round(x*digits) / digits }

// decode reads what encode wrote, of estimators with those features.
func decode(data []byte, features string) (map[string]account, error) {
	if len(data) > sched.MaxShared {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", ErrRefused, len(data), sched.MaxShared)
	}
	var s statement
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	switch {
	case s.Version != statementVersion:
		return nil, fmt.Errorf("%w: version %d, this is %d", ErrRefused, s.Version, statementVersion)
	case s.Features != digest(features):
		return nil, fmt.Errorf("%w: of features %s, here they are %s (%s)", ErrRefused, s.Features, digest(features), features)
	}
	if err := checkCount(len(s.Functions), mostTold, "functions"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	functions := make(map[string]account, len(s.Functions))
	for i := range s.Functions {
		f := &s.Functions[i]
		a, err := f.account()
		if err != nil {
			return nil, fmt.Errorf("%w: function %d: %w", ErrRefused, i+1, err)
		}
		functions[f.Name] = a
	}
	return functions, nil
}

func (f *statementFunction) account() (account, error) {
	a := account{make(map[uint16]claim, len(f.Weights)), make(map[peer.ID]claim, len(f.Peers))}
	if f.Name == "" || len(f.Name) > mostName {
		return a, fmt.Errorf("a name of %d bytes, want 1 to %d", len(f.Name), mostName)
	}
	if err := checkCount(len(f.Peers), mostArms, "peers"); err != nil {
		return a, err
	}
	for _, w := range f.Weights {
		i := uint16(max(0, min(w[0], math.MaxUint16)))
		if float64(i) != w[0] {
			return a, fmt.Errorf("%v is no number of a weight", w[0])
		}
		a.weights[i] = claim{w[1], w[2]}
	}
	for k, c := range f.Peers {
		a.peers[k.id] = claim{c[0], c[1]}
	}
	return a, nil
}
