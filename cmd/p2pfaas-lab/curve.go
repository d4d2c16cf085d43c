package main

import "math"

// window is a stretch of a run: shares and means over it, not numbers where there
// is nothing to tell.
type window struct {
	until   float64 // seconds
	onTime  float64 // share of what ended
	reward  float64
	epsilon float64
	learned float64 // share of the decisions that were made by what was learned
}

// windowsOf divides samples into at most so many windows of as many samples each.
func windowsOf(samples []sample, most int) (all []window) {
	each := (len(samples) + most - 1) / most
	var before learned
	for from := 0; from < len(samples); from += each {
		part := samples[from:min(from+each, len(samples))]
		all = append(all, windowOf(part, &before))
	}
	return all
}

// windowOf takes samples together. Before is what was learned until then, and is
// brought up to date.
func windowOf(part []sample, before *learned) window {
	var ended, inDeadline int
	for i := range part {
		ended += part[i].Ended
		inDeadline += part[i].InDeadline
	}
	last := &part[len(part)-1]
	w := window{until: last.At, onTime: float64(inDeadline) / float64(ended), reward: math.NaN(), epsilon: math.NaN(), learned: math.NaN()}
	if l := last.Learning; l != nil {
		w.reward, w.epsilon = orNaN(l.Reward), orNaN(l.Epsilon)
		by, other := since(l.ByLearned, before.ByLearned), since(l.ByDefault, before.ByDefault)
		w.learned = by / (by + other)
		*before = *l
	}
	return w
}

// since is what was counted after before; less than nothing, where a node began
// anew in between, is nothing.
func since(now, before uint64) float64 { return float64(now - min(now, before)) }

func orNaN(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

// curveWindows is how many points a learning curve has.
const curveWindows = 40

// curvesOf are the windows of runs, averaged: each value over the runs that have it.
func curvesOf(runs []*outcome) (all []window) {
	var of [][]window
	for _, o := range runs {
		of = append(of, windowsOf(o.Detail.Samples, curveWindows))
	}
	for i := range of[0] {
		w := of[0][i]
		for _, value := range []func(*window) *float64{
			func(w *window) *float64 { return &w.onTime }, func(w *window) *float64 { return &w.reward },
			func(w *window) *float64 { return &w.epsilon }, func(w *window) *float64 { return &w.learned },
		} {
			*value(&w) = meanOf(of, i, value)
		}
		all = append(all, w)
	}
	return all
}

func meanOf(of [][]window, i int, value func(*window) *float64) float64 {
	var sum, count float64
	for _, run := range of {
		if i < len(run) && finite(*value(&run[i])) != nil {
			sum += *value(&run[i])
			count++
		}
	}
	return sum / count
}
