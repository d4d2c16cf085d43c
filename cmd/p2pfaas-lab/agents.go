package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/p2pfaas/p2pfaas/rl"
	"github.com/p2pfaas/p2pfaas/sched"
)

// agents are the policies of the nodes of one run.
type agents struct {
	choice   choice
	registry sched.Registry
	set      map[string]string
	of       map[int]sched.Policy
}

// agentsOf is for a trial, of which so many begin with the same model.
func agentsOf(t *trial, registry sched.Registry, alike int) (*agents, error) {
	a := &agents{choice: t.choice, registry: registry, set: t.parameters(), of: make(map[int]sched.Policy)}
	if m := t.choice.model; m != nil {
		nodes := 0
		for i := range t.scenario.Nodes {
			nodes += t.scenario.Nodes[i].Count
		}
		part, err := rl.Divided(m.data, nodes*alike)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", m.path, err)
		}
		a.choice.model = &model{m.path, m.policy, part}
	}
	return a, nil
}

// enter makes a node's policy. A node that is started anew goes on with what it knew,
// as one does that has it on disk.
func (a *agents) enter(node int) (sched.Policy, error) {
	p, err := a.choice.build(a.registry, a.set)
	if err != nil {
		return nil, err
	}
	if before := a.of[node]; before != nil {
		data, err := before.(sched.Snapshotter).Snapshot()
		if err != nil {
			return nil, err
		}
		if err := p.(sched.Snapshotter).Restore(data); err != nil {
			return nil, err
		}
	}
	a.of[node] = p
	return p, nil
}

// models is what each has learned, in the order of the nodes.
func (a *agents) models() (all [][]byte, err error) {
	for _, node := range slices.Sorted(maps.Keys(a.of)) {
		data, err := a.of[node].(sched.Snapshotter).Snapshot()
		if err != nil {
			return nil, fmt.Errorf("what node %d has learned: %w", node, err)
		}
		all = append(all, data)
	}
	return all, nil
}

// averaged is what several have learned, by how much each has seen.
func averaged(policy string, models [][]byte) (*model, error) {
	data, err := rl.Average(models...)
	if err != nil {
		return nil, fmt.Errorf("average what %d nodes have learned: %w", len(models), err)
	}
	return &model{policy: policy, data: data}, nil
}
