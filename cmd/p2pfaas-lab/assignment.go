package main

import (
	"errors"
	"fmt"
	"strings"
)

// assignment gives a key of the scenario, or a parameter of the policy, a value.
type assignment struct{ key, value string }

func (a assignment) String() string { return a.key + "=" + a.value }

func parseAssignment(text string) (assignment, error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return assignment{}, errors.New("want KEY=VALUE")
	}
	return assignment{key, value}, nil
}

// assignments is a repeatable flag of them.
type assignments []assignment

// String implements pflag.Value.
func (l *assignments) String() string { return textOf(*l) }

// Type implements pflag.Value.
func (l *assignments) Type() string { return "KEY=VALUE" }

// Set implements pflag.Value.
func (l *assignments) Set(text string) error {
	a, err := parseAssignment(text)
	*l = append(*l, a)
	return err
}

func textOf(list []assignment) string {
	var all []string
	for _, a := range list {
		all = append(all, a.String())
	}
	return strings.Join(all, " ")
}

// sweep is a key with the values that it is to take in turn.
type sweep struct {
	key    string
	values []string
}

// sweeps is a repeatable flag of them; several make every combination.
type sweeps []sweep

// String implements pflag.Value.
func (l *sweeps) String() string {
	var all []string
	for _, s := range *l {
		all = append(all, s.key+"="+strings.Join(s.values, ","))
	}
	return strings.Join(all, " ")
}

// Type implements pflag.Value.
func (l *sweeps) Type() string { return "KEY=VALUE,…" }

// Set implements pflag.Value.
func (l *sweeps) Set(text string) error {
	a, err := parseAssignment(text)
	if err != nil {
		return errors.New("want KEY=VALUE,VALUE,…")
	}
	s := sweep{a.key, splitValues(a.value)}
	for _, value := range s.values {
		if value == "" {
			return fmt.Errorf("%s has an empty value", text)
		}
	}
	*l = append(*l, s)
	return nil
}

// splitValues divides at the commas that are not within brackets.
func splitValues(text string) (all []string) {
	depth, from := 0, 0
	for i, c := range text {
		switch {
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == ',' && depth == 0:
			all = append(all, text[from:i])
			from = i + 1
		}
	}
	return append(all, text[from:])
}

// points are all combinations, the last sweep's values changing first. Without
// sweeps there is one point, that changes nothing.
func (l sweeps) points() [][]assignment {
	all := [][]assignment{nil}
	for _, s := range l {
		var next [][]assignment
		for _, point := range all {
			for _, value := range s.values {
				next = append(next, append(point[:len(point):len(point)], assignment{s.key, value}))
			}
		}
		all = next
	}
	return all
}
