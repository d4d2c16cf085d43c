package sched

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	// ErrUnknownParameter: the policy has no parameter of that name.
	ErrUnknownParameter = errors.New("unknown parameter")
	// ErrBadValue: the parameter does not take that value.
	ErrBadValue = errors.New("bad value")
)

// Parameter describes one setting of a policy, for people.
type Parameter struct {
	Key     string
	Default string
	Accepts string // "a whole number from 0 to 16"
	Meaning string
}

// Settings binds a policy's parameters to the policy's own fields, as a
// flag.FlagSet does: a [Constructor] names each once, with its default, its
// bounds (both included) and its meaning.
type Settings struct{ bound []binding }

type binding struct {
	Parameter
	parse func(string) error
}

// Int binds a whole number.
func (s *Settings) Int(field *int, key string, value, low, high int, meaning string) {
	*field = value
	accepts := fmt.Sprintf("a whole number from %d to %d", low, high)
	bind(s, field, Parameter{key, strconv.Itoa(value), accepts, meaning}, strconv.Atoi,
		func(x int) bool { return low <= x && x <= high })
}

// Float binds a number.
func (s *Settings) Float(field *float64, key string, value, low, high float64, meaning string) {
	*field = value
	accepts := fmt.Sprintf("a number from %v to %v", low, high)
	bind(s, field, Parameter{key, fmt.Sprint(value), accepts, meaning},
		func(text string) (float64, error) { return strconv.ParseFloat(text, 64) },
		func(x float64) bool { return low <= x && x <= high })
}

// Duration binds a length of time, written as time.ParseDuration reads it.
func (s *Settings) Duration(field *time.Duration, key string, value, low, high time.Duration, meaning string) {
	*field = value
	accepts := fmt.Sprintf("a duration from %v to %v", low, high)
	bind(s, field, Parameter{key, value.String(), accepts, meaning}, time.ParseDuration,
		func(x time.Duration) bool { return low <= x && x <= high })
}

// Bool binds a switch.
func (s *Settings) Bool(field *bool, key string, value bool, meaning string) {
	*field = value
	bind(s, field, Parameter{key, strconv.FormatBool(value), "true or false", meaning}, strconv.ParseBool,
		func(bool) bool { return true })
}

// Choice binds one word of several; the first is the default.
func (s *Settings) Choice(field *string, key string, words []string, meaning string) {
	*field = words[0]
	bind(s, field, Parameter{key, words[0], "one of " + strings.Join(words, ", "), meaning},
		func(text string) (string, error) { return text, nil },
		func(x string) bool { return slices.Contains(words, x) })
}

func bind[V any](s *Settings, field *V, p Parameter, parse func(string) (V, error), within func(V) bool) {
	s.bound = append(s.bound, binding{p, func(text string) error {
		value, err := parse(text)
		if err != nil || !within(value) {
			return fmt.Errorf("%w %s=%q: accepted is %s", ErrBadValue, p.Key, text, p.Accepts)
		}
		*field = value
		return nil
	}})
}

// apply sets the bound fields; keys are taken in order so that of two errors
// the same one is told each time.
func (s *Settings) apply(set map[string]string) error {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		i := slices.IndexFunc(s.bound, func(b binding) bool { return b.Key == key })
		if i < 0 {
			return fmt.Errorf("%w %q: it has %s", ErrUnknownParameter, key, s.known())
		}
		if err := s.bound[i].parse(set[key]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Settings) parameters() []Parameter {
	list := make([]Parameter, len(s.bound))
	for i, b := range s.bound {
		list[i] = b.Parameter
	}
	return list
}

func (s *Settings) known() string {
	if len(s.bound) == 0 {
		return "none"
	}
	parts := make([]string, len(s.bound))
	for i, b := range s.bound {
		parts[i] = fmt.Sprintf("%s (default %s)", b.Key, b.Default)
	}
	return strings.Join(parts, ", ")
}
