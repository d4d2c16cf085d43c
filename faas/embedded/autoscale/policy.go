package autoscale

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Labels of OpenFaaS.
const (
	labels             = "com.openfaas.scale."
	LabelMin           = labels + "min"
	LabelMax           = labels + "max"
	LabelType          = labels + "type"
	LabelTarget        = labels + "target"
	LabelProportion    = labels + "target-proportion"
	LabelFactor        = labels + "factor"
	LabelDownWindow    = labels + "down.window"
	LabelZero          = labels + "zero"
	LabelZeroDuration  = labels + "zero-duration"
	maxDownWindow      = 5 * time.Minute
	defaultDownWindow  = 30 * time.Second
	defaultZeroAfter   = 15 * time.Minute
	defaultMax         = 5
	defaultTarget      = 50
	defaultProportion  = 0.9
	defaultFactor      = 10
	mostReplicas       = 10_000
	percent            = 100
	milli              = 1000
	meanOver           = 2 * time.Second
	roundingOfQuotient = 1e-9
)

// Type is what a function's load is measured by.
type Type string

// The types of OpenFaaS that this package measures.
const (
	RPS      Type = "rps"
	Capacity Type = "capacity"
	CPU      Type = "cpu"
)

// Policy is how a function is scaled.
type Policy struct {
	Min, Max   int
	ByLoad     bool // else there is no scaling but to zero
	Type       Type
	Target     float64 // of each replica
	Proportion float64 // of the target that is aimed at
	Factor     int     // percent of Max that a step adds
	DownWindow time.Duration
	Zero       bool
	ZeroAfter  time.Duration
}

// Active tells whether the policy ever changes anything.
func (p *Policy) Active() bool { return p.ByLoad || p.Zero }

// Parse reads a function's labels. Errors wrap [faas.ErrInvalid] and say what is
// accepted.
func Parse(all map[string]string) (Policy, error) {
	r := reader{labels: all}
	p := Policy{
		Min:        int(r.number(LabelMin, 1, 1, mostReplicas, "a whole number from 1; com.openfaas.scale.zero=true is for zero")),
		Factor:     int(r.number(LabelFactor, defaultFactor, 0, percent, "a whole number from 0 to 100, the percentage of the maximum that a step adds")),
		Type:       r.kind(),
		Target:     r.fraction(LabelTarget, defaultTarget, math.MaxInt32, "a number above 0, the load of one replica"),
		Proportion: r.fraction(LabelProportion, defaultProportion, 1, "a number above 0, at most 1"),
		DownWindow: r.duration(LabelDownWindow, defaultDownWindow, 0, maxDownWindow, "a duration of at most 5m such as 90s"),
		Zero:       r.truth(LabelZero),
		ZeroAfter:  r.duration(LabelZeroDuration, defaultZeroAfter, 1, math.MaxInt64, "a duration above 0 such as 15m"),
	}
	p.Max = int(r.number(LabelMax, max(defaultMax, p.Min), p.Min, mostReplicas, fmt.Sprintf("a whole number from the minimum, %d", p.Min)))
	asked := slices.ContainsFunc([]string{LabelMax, LabelType, LabelTarget, LabelProportion, LabelFactor}, func(l string) bool { return all[l] != "" })
	p.ByLoad = asked && p.Factor > 0 && p.Min < p.Max
	return p, errors.Join(r.errs...)
}

// reader collects what is wrong with labels. An empty label counts as absent.
type reader struct {
	labels map[string]string
	errs   []error
}

func (r *reader) refuse(label, want string) {
	r.errs = append(r.errs, fmt.Errorf("label %s=%q: %w: want %s", label, r.labels[label], faas.ErrInvalid, want))
}

func (r *reader) number(label string, otherwise, low, high int, want string) int {
	s := strings.TrimSpace(r.labels[label])
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		r.refuse(label, want)
		return otherwise
	}
	return n
}

func (r *reader) fraction(label string, otherwise, high float64, want string) float64 {
	s := strings.TrimSpace(r.labels[label])
	if s == "" {
		return otherwise
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x > 0 && x <= high) { // also not NaN
		r.refuse(label, want)
		return otherwise
	}
	return x
}

func (r *reader) duration(label string, otherwise, low, high time.Duration, want string) time.Duration {
	s := strings.TrimSpace(r.labels[label])
	if s == "" {
		return otherwise
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < low || d > high {
		r.refuse(label, want)
		return otherwise
	}
	return d
}

func (r *reader) truth(label string) bool {
	s := strings.TrimSpace(r.labels[label])
	if s == "" {
		return false
	}
	yes, err := strconv.ParseBool(s)
	if err != nil {
		r.refuse(label, "true or false")
	}
	return yes
}

func (r *reader) kind() Type {
	switch t := Type(strings.TrimSpace(r.labels[LabelType])); t {
	case "":
		return RPS
	case RPS, Capacity, CPU:
		return t
	}
	r.refuse(LabelType, "rps (calls per second), capacity (calls at once) or cpu (thousandths of a core)")
	return RPS
}
