package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/sched"
)

// choice is a policy, its parameters, and the model that it begins with, if any. Its
// text is "power-of-n:f=2,t=1" or "calibrated@FILE:epsilon=0".
type choice struct {
	name  string
	set   map[string]string
	model *model
}

func parseChoice(text string) (choice, error) {
	name, parameters, more := strings.Cut(text, ":")
	c := choice{set: map[string]string{}}
	name, path, begins := strings.Cut(name, "@")
	c.name = name
	if begins {
		var err error
		if c.model, err = readModel(path); err != nil {
			return c, err
		}
	}
	if !more {
		return c, nil
	}
	for _, pair := range strings.Split(parameters, ",") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return c, fmt.Errorf("policy %q: want NAME:KEY=VALUE,KEY=VALUE", text)
		}
		c.set[key] = value
	}
	return c, nil
}

func (c choice) String() string {
	name := c.name
	if c.model != nil {
		name += "@" + c.model.path
	}
	if len(c.set) == 0 {
		return name
	}
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(c.set)) {
		pairs = append(pairs, key+"="+c.set[key])
	}
	return name + ":" + strings.Join(pairs, ",")
}

// with is c with one more parameter.
func (c choice) with(key, value string) choice {
	set := maps.Clone(c.set)
	if set == nil {
		set = map[string]string{}
	}
	set[key] = value
	c.set = set
	return c
}

// build makes the policy, with what its model knows.
func (c choice) build(r sched.Registry, set map[string]string) (sched.Policy, error) {
	p, err := r.New(c.name, set)
	if err == nil && c.model != nil {
		err = c.model.begin(p)
	}
	return p, err
}

// has says whether the policy has a parameter.
func (c choice) has(r sched.Registry, key string) bool {
	list, err := r.Parameters(c.name)
	return err == nil && slices.ContainsFunc(list, func(p sched.Parameter) bool { return p.Key == key })
}

// choices is a repeatable flag of policies. Commas separate policies where they
// do not separate parameters.
type choices []choice

// String implements pflag.Value.
func (l *choices) String() string {
	var all []string
	for _, c := range *l {
		all = append(all, c.String())
	}
	return strings.Join(all, " ")
}

// Type implements pflag.Value.
func (l *choices) Type() string { return "NAME[@FILE][:KEY=VALUE,…]" }

// Set implements pflag.Value.
func (l *choices) Set(text string) error {
	for _, part := range splitChoices(text) {
		c, err := parseChoice(part)
		if err != nil {
			return err
		}
		*l = append(*l, c)
	}
	return nil
}

// splitChoices divides "a,b:f=2,t=1,c" into "a", "b:f=2,t=1" and "c": what has
// a "=" before any ":" belongs to the policy before it.
func splitChoices(text string) (all []string) {
	for _, part := range strings.Split(text, ",") {
		before, _, _ := strings.Cut(part, ":")
		if last := len(all) - 1; last >= 0 && strings.Contains(before, "=") {
			all[last] += "," + part
			continue
		}
		all = append(all, part)
	}
	return all
}
