package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
)

// model is what a policy has learned, on a node or in the simulator. Its file is what
// "p2pfaas-node policy export" and "p2pfaas-lab train" write.
type model struct {
	path, policy string
	data         []byte
}

// errLearnsNothing: a policy has no model.
var errLearnsNothing = errors.New("this policy learns nothing")

func readModel(path string) (*model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, rl.MaxSnapshot+1))
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	policy, err := rl.PolicyOf(data)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	return &model{path, policy, data}, nil
}

// begin has a policy go on from the model.
func (m *model) begin(p sched.Policy) error {
	s, ok := p.(sched.Snapshotter)
	if !ok {
		return fmt.Errorf("model %s: %w", m.path, errLearnsNothing)
	}
	if err := s.Restore(m.data); err != nil {
		return fmt.Errorf("model %s: %w", m.path, err)
	}
	return nil
}

// write replaces the file at once, so that it is never half a model.
func (m *model) write() error {
	f, err := os.CreateTemp(filepath.Dir(m.path), ".model-*")
	if err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	_, err = f.Write(m.data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), m.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("write model: %w", err)
	}
	return nil
}

// models is a repeatable flag of their files.
type models []*model

// String implements pflag.Value.
func (l *models) String() string {
	text := ""
	for _, m := range *l {
		text += " " + m.path
	}
	return text
}

// Type implements pflag.Value.
func (l *models) Type() string { return "FILE" }

// Set implements pflag.Value.
func (l *models) Set(path string) error {
	m, err := readModel(path)
	if err != nil {
		return err
	}
	if other := l.of(m.policy); other != nil {
		return fmt.Errorf("%s and %s are both of %s: name each policy with its own, as %s@%s", other.path, path, m.policy, m.policy, path)
	}
	*l = append(*l, m)
	return nil
}

// of is the model of a policy, nil if there is none.
func (l *models) of(policy string) *model {
	if i := slices.IndexFunc(*l, func(m *model) bool { return m.policy == policy }); i >= 0 {
		return (*l)[i]
	}
	return nil
}
