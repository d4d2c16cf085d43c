package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// pairs is a repeatable flag of KEY=VALUE. Unlike pflag's own it takes one pair
// at a time, so that a value may hold commas.
type pairs struct{ m *map[string]string }

func (p pairs) Type() string   { return "KEY=VALUE" }
func (p pairs) String() string { return strings.Join(p.GetSlice(), " ") }
func (p pairs) Set(s string) error {
	return p.Append(s)
}

// Append, Replace and GetSlice make it a pflag.SliceValue.

func (p pairs) Append(s string) error {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return fmt.Errorf("want KEY=VALUE")
	}
	if *p.m == nil {
		*p.m = map[string]string{}
	}
	(*p.m)[key] = value
	return nil
}

func (p pairs) Replace(all []string) error {
	*p.m = nil
	for _, s := range all {
		if err := p.Append(s); err != nil {
			return err
		}
	}
	return nil
}

func (p pairs) GetSlice() []string {
	if p.m == nil {
		return nil
	}
	var all []string
	for _, key := range slices.Sorted(maps.Keys(*p.m)) {
		all = append(all, key+"="+(*p.m)[key])
	}
	return all
}
