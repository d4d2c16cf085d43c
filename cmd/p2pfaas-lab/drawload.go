package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/plot/plotter"
)

// errNoSweep: there is nothing to draw against.
var errNoSweep = errors.New("nothing is swept: name a key and its values, as --sweep utilisation=0.3,0.5,0.7,0.9")

// drawLoad draws a measure against what was swept, with confidence intervals.
func drawLoad(d *drawing, all []series) (*figure, error) {
	m, err := measureOf(d.measure)
	if err != nil {
		return nil, err
	}
	key, err := sweptKey(all)
	if err != nil {
		return nil, err
	}
	f := newFigure(key, m.name+": "+m.meaning)
	for i, name := range names(all) {
		points, halves, err := against(&m, key, all[i].runs)
		if err != nil {
			return nil, err
		}
		if err := f.line(name, points, halves, true); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// sweptKey is the one key that was swept.
func sweptKey(all []series) (key string, err error) {
	for _, s := range all {
		for _, o := range s.runs {
			for k := range o.Varied {
				if key != "" && k != key {
					return "", fmt.Errorf("both %s and %s are swept: one can be drawn", min(k, key), max(k, key))
				}
				key = k
			}
		}
	}
	if key == "" {
		return "", errNoSweep
	}
	return key, nil
}

// against are the means of a measure at each value of a key, ascending. A half is 0
// where there is one run.
func against(m *measure, key string, runs []*outcome) (points plotter.XYs, halves []float64, err error) {
	at := map[float64][]float64{}
	var xs []float64
	for _, o := range runs {
		x, err := numeric(o.Varied[key])
		if err != nil {
			return nil, nil, fmt.Errorf("%s=%s of %s: %w", key, o.Varied[key], o.Scenario, err)
		}
		if _, known := at[x]; !known {
			xs = append(xs, x)
		}
		at[x] = append(at[x], m.of(&o.Result))
	}
	slices.Sort(xs)
	for _, x := range xs {
		e := estimateOf(at[x])
		if math.IsNaN(e.half) {
			e.half = 0
		}
		points, halves = append(points, plotter.XY{X: x, Y: e.mean}), append(halves, e.half)
	}
	return points, halves, nil
}

// numeric reads a number, or a duration in seconds.
func numeric(text string) (float64, error) {
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		return x, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return d.Seconds(), nil
	}
	return 0, errors.New("it is neither a number nor a duration, and has no place on an axis")
}
