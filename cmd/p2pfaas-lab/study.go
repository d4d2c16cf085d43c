package main

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// study says what to run: each scenario at each point of the sweeps, with each
// policy and each seed.
type study struct {
	policies choices
	seeds    seeds
	set      assignments
	with     assignments
	sweeps   sweeps
	models   models
	registry sched.Registry
}

// trial is one run.
type trial struct {
	scenario *sim.Scenario
	choice   choice
	seed     uint64
	point    []assignment
}

const aboutStudy = `
A policy is written NAME or NAME:KEY=VALUE,KEY=VALUE. --set gives a parameter to
all policies that have it and do not say it themselves.

--model has the nodes begin with what "p2pfaas-node policy export" or "p2pfaas-lab
train" has written, where they run the policy that it is of. NAME@FILE does so for one
of several: -p calibrated,calibrated@model.json compares it with one that knows nothing.

--with and --sweep change keys of the scenario, as network.delay=10ms,
nodes[0].servers=4 or, for all groups, nodes.servers=4; utilisation, delay,
zone_delay, servers, queue, rate, speed, service, deadline and distribution need
nothing before them. --sweep also takes parameters of policies, as d=1,2,3 or, where
a key of the scenario is called the same, set.d=1,2,3. Several sweeps make all
combinations.`

func (s *study) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.VarP(&s.policies, "policy", "p", "policy to run, instead of the scenario's; repeatable")
	f.Var(&s.seeds, "seed", "seeds to run, as 1-5 or 1,3,7, instead of the scenario's")
	f.Var(&s.set, "set", "parameter of the policies that have it; repeatable")
	f.Var(&s.with, "with", "change of a key of the scenarios; repeatable")
	f.Var(&s.models, "model", "what the policy that it is of begins with; repeatable")
	f.Var(&s.sweeps, "sweep", "key or parameter to run with each of these values; repeatable")
	// Fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("policy", cobra.FixedCompletions(s.registry.Names(), cobra.ShellCompDirectiveNoFileComp))
}

// trials are all runs, scenario by scenario, then by point, policy and seed.
func (s *study) trials(paths []string) ([]trial, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var all []trial
	for _, path := range paths {
		from, err := readSource(path)
		if err != nil {
			return nil, usageError{err}
		}
		for _, point := range s.sweeps.points() {
			some, err := s.at(from, point)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
	}
	return all, nil
}

// at are the runs of one scenario at one point.
func (s *study) at(from *source, point []assignment) ([]trial, error) {
	changes, parameters, err := divide(append(slices.Clone(s.with), point...))
	if err != nil {
		return nil, err
	}
	sc, err := from.variant(changes)
	if err != nil {
		return nil, err
	}
	chosen, err := s.chosen(sc, parameters)
	if err != nil {
		return nil, err
	}
	seeds := s.seeds
	if len(seeds) == 0 {
		seeds = []uint64{max(1, sc.Seed)}
	}
	var all []trial
	for _, c := range chosen {
		for _, seed := range seeds {
			all = append(all, trial{sc, c, seed, point})
		}
	}
	return all, nil
}

// chosen are the policies with the parameters of this point.
func (s *study) chosen(sc *sim.Scenario, parameters []assignment) (choices, error) {
	list := s.policies
	if len(list) == 0 {
		list = choices{{name: sc.Policy, set: sc.Set}}
	}
	var all choices
	taken := make([]bool, len(parameters))
	for _, c := range list {
		c = s.complete(c)
		for i, a := range parameters {
			if c.has(s.registry, a.key) {
				c, taken[i] = c.with(a.key, a.value), true
			}
		}
		if _, err := c.build(s.registry, c.set); err != nil {
			return nil, usageError{err}
		}
		all = append(all, c)
	}
	if i := slices.Index(taken, false); i >= 0 {
		return nil, usagef("%s is neither a key of scenarios nor a parameter of %s", parameters[i].key, list.String())
	}
	for _, m := range s.models {
		if !slices.ContainsFunc(all, func(c choice) bool { return c.model == m }) {
			return nil, usagef("--model %s: it is of %s, and what runs is %s", m.path, m.policy, all.String())
		}
	}
	return all, nil
}

// complete is c with what --set and --model say and c does not.
func (s *study) complete(c choice) choice {
	if c.model == nil {
		c.model = s.models.of(c.name)
	}
	for _, a := range s.set {
		if _, said := c.set[a.key]; !said && c.has(s.registry, a.key) {
			c = c.with(a.key, a.value)
		}
	}
	return c
}

// check finds what is wrong whatever the scenarios.
func (s *study) check() error {
	for _, c := range s.policies {
		if _, err := s.registry.Parameters(c.name); err != nil {
			return usageError{err}
		}
	}
	if len(s.policies) == 0 {
		return nil
	}
	for _, a := range s.set {
		if !slices.ContainsFunc(s.policies, func(c choice) bool { return c.has(s.registry, a.key) }) {
			return usagef("--set %s: none of %s has this parameter", a, s.policies.String())
		}
	}
	return nil
}

// parameters are those of the policy: the scenario's own too, if it is the
// scenario's.
func (t *trial) parameters() map[string]string {
	set := make(map[string]string)
	if t.choice.name == t.scenario.Policy {
		maps.Copy(set, t.scenario.Set)
	}
	maps.Copy(set, t.choice.set)
	return set
}

func (t *trial) varied() map[string]string {
	if len(t.point) == 0 {
		return nil
	}
	m := make(map[string]string, len(t.point))
	for _, a := range t.point {
		m[a.key] = a.value
	}
	return m
}

func cloned(set map[string]string) map[string]string {
	if len(set) == 0 {
		return nil
	}
	return maps.Clone(set)
}
