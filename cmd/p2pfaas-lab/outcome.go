package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// outcome is the JSON object of one run.
type outcome struct {
	// Mode is "sim" or "live".
	Mode string `json:"mode"`
	sim.Result
	// Set are the parameters that the policy was given, Varied what was swept.
	Set    map[string]string `json:"set,omitempty"`
	Varied map[string]string `json:"varied,omitempty"`
	// Model is the file that the nodes began with.
	Model  string     `json:"model,omitempty"`
	Live   *liveNotes `json:"live,omitempty"`
	Detail *detail    `json:"detail,omitempty"`
}

// liveNotes is what only a run on real nodes has.
type liveNotes struct {
	// Late is the share of requests that were sent more than 10 ms after their
	// time, Latest the worst of these, in seconds: how busy the driver's machine was.
	Late   float64 `json:"late"`
	Latest float64 `json:"latest_s"`
	// Unsent is the share that was not sent at all since too many were under way.
	Unsent float64 `json:"unsent"`
	// CPU is how many cores the nodes took on average.
	CPU float64 `json:"cpu"`
}

// detail is what plots need beyond the numbers.
type detail struct {
	// CDF has pairs of a response time in seconds and the share of all requests
	// answered by then.
	CDF     [][2]float64 `json:"cdf"`
	Nodes   []nodeDetail `json:"per_node"`
	Samples []sample     `json:"samples,omitempty"`
}

type nodeDetail struct {
	Requests   int     `json:"requests"`
	InDeadline int     `json:"in_deadline"`
	Served     int     `json:"served"`
	Received   int     `json:"received"`
	Busy       float64 `json:"busy"`
}

// sample is the mesh at one moment; ended and in_deadline are since the last one.
type sample struct {
	At         float64 `json:"at_s"`
	Running    int     `json:"running"`
	Queued     int     `json:"queued"`
	Dead       int     `json:"dead"`
	Ended      int     `json:"ended"`
	InDeadline int     `json:"in_deadline"`
	// Learning is absent where no policy learns.
	Learning *learned `json:"learning,omitempty"`
}

// outcomeOf makes the outcome of a trial's result.
func outcomeOf(mode string, t *trial, r *sim.Result, detailed bool) *outcome {
	o := &outcome{Mode: mode, Result: *r, Set: cloned(t.choice.set), Varied: t.varied()}
	if t.choice.model != nil {
		o.Model = t.choice.model.path
	}
	if detailed {
		o.Detail = detailOf(r)
	}
	return o
}

// label is the scenario and what was swept, as "p12 utilisation=0.5".
func (o *outcome) label() string {
	parts := []string{o.Scenario}
	for _, key := range slices.Sorted(maps.Keys(o.Varied)) {
		parts = append(parts, key+"="+o.Varied[key])
	}
	return strings.Join(parts, " ")
}

// policy is the policy with its parameters.
func (o *outcome) policy() string { return o.choice().String() }

func (o *outcome) choice() choice {
	c := choice{name: o.Policy, set: o.Set}
	if o.Model != "" {
		c.model = &model{path: o.Model}
	}
	return c
}

func detailOf(r *sim.Result) *detail {
	d := &detail{CDF: cdfOf(r)}
	for _, n := range r.PerNode {
		d.Nodes = append(d.Nodes, nodeDetail(n))
	}
	for _, s := range r.Samples {
		d.Samples = append(d.Samples, sample{At: s.At.Seconds(), Running: s.Running, Queued: s.Queued, Dead: s.Dead,
			Ended: s.Ended, InDeadline: s.InDeadline, Learning: learnedOf(s.Learning)})
	}
	return d
}

// cdfSteps is how finely the distribution is drawn.
const cdfSteps = 200

func cdfOf(r *sim.Result) [][2]float64 {
	points := [][2]float64{{0, 0}}
	last := time.Duration(-1)
	for i := 1; i <= cdfSteps && r.Responses.Count() > 0; i++ {
		q := float64(i) / cdfSteps
		at := r.Responses.Quantile(q)
		if at == last {
			points = points[:len(points)-1]
		}
		points = append(points, [2]float64{at.Seconds(), q * r.Served})
		last = at
	}
	return points
}

// line is the object on one line.
func (o *outcome) line() ([]byte, error) {
	text, err := json.Marshal(o)
	return append(text, '\n'), err
}
