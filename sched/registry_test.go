package sched_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/sched"
)

func TestNames(t *testing.T) {
	if diff := cmp.Diff([]string{
		"forward", "jiq", "jsq-d", "least-loaded", "local", "peak-ewma", "power-of-n", "power-of-n-tau", "prequal",
		"random", "reject", "round-robin", "round-robin-master", "split", "spread", "spread-v1",
	}, sched.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestNewErrors(t *testing.T) {
	cases := []struct {
		name, policy string
		set          map[string]string
		is           error
		says         []string
	}{
		{"policy", "sprea", nil, sched.ErrUnknownPolicy, []string{`"sprea"`, "local, peak-ewma, power-of-n, "}},
		{"key", "power-of-n", map[string]string{"d": "2"}, sched.ErrUnknownParameter,
			[]string{`policy "power-of-n"`, `"d"`, "f (default 2)", "t (default -1)", "loss (default false)", "hops (default 1)"}},
		{"no number", "power-of-n", map[string]string{"f": "two"}, sched.ErrBadValue, []string{`f="two"`, "a whole number from 1 to 64"}},
		{"below", "power-of-n", map[string]string{"f": "0"}, sched.ErrBadValue, []string{`f="0"`}},
		{"above", "spread", map[string]string{"hops": "17"}, sched.ErrBadValue, []string{"from 0 to 16"}},
		{"not finite", "spread", map[string]string{"finish": "NaN"}, sched.ErrBadValue, []string{"a number from 0 to 10"}},
		{"switch", "power-of-n", map[string]string{"loss": "maybe"}, sched.ErrBadValue, []string{"true or false"}},
		{"word", "power-of-n", map[string]string{"variant": "best"}, sched.ErrBadValue, []string{"one of least, upstream"}},
		{"duration without unit", "local", map[string]string{"prior": "100"}, sched.ErrBadValue, []string{"a duration from 1ms to 1h0m0s"}},
		{"first of two in order", "local", map[string]string{"prior": "x", "hops": "x"}, sched.ErrBadValue, []string{"hops"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := sched.New(c.policy, c.set)
			if p != nil || !errors.Is(err, c.is) {
				t.Fatalf("New = %v, %v, want %v", p, err, c.is)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

// Every default must be a value that the parameter accepts, and every
// parameter must tell people what it is.
func TestParametersAcceptTheirDefaults(t *testing.T) {
	for _, name := range sched.Names() {
		list, err := sched.Parameters(name)
		if err != nil {
			t.Fatal(err)
		}
		set := map[string]string{}
		for _, p := range list {
			if p.Key == "" || p.Accepts == "" || p.Meaning == "" {
				t.Errorf("%s: %+v is not complete", name, p)
			}
			set[p.Key] = p.Default
		}
		with, err := sched.New(name, set)
		if err != nil {
			t.Errorf("%s does not take its own defaults: %v", name, err)
			continue
		}
		if got, want := describe(t, with), describe(t, newPolicy(t, name, nil)); got != want {
			t.Errorf("%s with its defaults set is %q, without %q", name, got, want)
		}
	}
	if _, err := sched.Parameters("none"); !errors.Is(err, sched.ErrUnknownPolicy) {
		t.Errorf("Parameters of no policy: %v", err)
	}
}

func TestDescribeTellsParameters(t *testing.T) {
	p := newPolicy(t, "power-of-n", map[string]string{"f": "7", "t": "11", "hops": "13", "loss": "true", "variant": "upstream"})
	for _, part := range []string{"7", "11", "13", "true", "upstream"} {
		if text := describe(t, p); !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

func describe(t *testing.T, p sched.Policy) string {
	t.Helper()
	d, ok := p.(sched.Describer)
	if !ok {
		t.Fatalf("%T does not describe itself", p)
	}
	return d.Describe()
}

func TestRegistriesAreIndependent(t *testing.T) {
	mine := sched.Policies()
	mine["mine"] = mine["local"]
	delete(mine, "spread")
	if _, err := sched.New("mine", nil); !errors.Is(err, sched.ErrUnknownPolicy) {
		t.Errorf("another registry has mine too: %v", err)
	}
	if _, err := mine.New("mine", map[string]string{"hops": "1"}); err != nil {
		t.Error(err)
	}
	if _, err := mine.New("spread", nil); err == nil {
		t.Error("spread was not removed")
	}
}
