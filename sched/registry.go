package sched

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrUnknownPolicy: there is no policy of that name.
var ErrUnknownPolicy = errors.New("unknown policy")

// Constructor makes a policy with its defaults and binds its parameters to s,
// which sets them afterwards.
type Constructor func(s *Settings) Policy

// Registry holds the policies that can be had by name. It is a plain map: who
// has more policies adds them to a copy of their own.
//
//	all := sched.Policies()
//	all["mine"] = func(s *sched.Settings) sched.Policy { … }
//	policy, err := all.New("mine", map[string]string{"hops": "2"})
type Registry map[string]Constructor

// Policies returns a new Registry of this package's policies.
func Policies() Registry {
	return Registry{
		"forward":            newForward,
		"jiq":                newJIQ,
		"jsq-d":              newJSQ,
		"least-loaded":       newLeastLoaded,
		"local":              newLocal,
		"peak-ewma":          newPeakEWMA,
		"power-of-n-tau":     newPowerOfNTau,
		"prequal":            newPrequal,
		"random":             newRandom,
		"reject":             newReject,
		"round-robin":        newRoundRobin,
		"round-robin-master": newRoundRobinMaster,
		"split":              newSplit,
		"power-of-n":         newPowerOfN,
		"spread":             newSpread,
		"spread-v1":          newSpreadV1,
	}
}

// New makes the named policy; set overrides its parameters' defaults. The
// policy serves one caller at a time.
func (r Registry) New(name string, set map[string]string) (Policy, error) {
	construct, err := r.find(name)
	if err != nil {
		return nil, err
	}
	var s Settings
	p := construct(&s)
	if err := s.apply(set); err != nil {
		return nil, fmt.Errorf("policy %q: %w", name, err)
	}
	return p, nil
}

// Names lists the policies in alphabetical order.
func (r Registry) Names() []string { return slices.Sorted(maps.Keys(r)) }

// Parameters lists what can be set of the named policy.
func (r Registry) Parameters(name string) ([]Parameter, error) {
	construct, err := r.find(name)
	if err != nil {
		return nil, err
	}
	var s Settings
	construct(&s)
	return s.parameters(), nil
}

func (r Registry) find(name string) (Constructor, error) {
	if construct, ok := r[name]; ok {
		return construct, nil
	}
	return nil, fmt.Errorf("%w %q: there are %s", ErrUnknownPolicy, name, strings.Join(r.Names(), ", "))
}

// New makes the named policy of [Policies].
func New(name string, set map[string]string) (Policy, error) { return Policies().New(name, set) }

// Names lists the policies of [Policies].
func Names() []string { return Policies().Names() }

// Parameters lists what can be set of the named policy of [Policies].
func Parameters(name string) ([]Parameter, error) { return Policies().Parameters(name) }
