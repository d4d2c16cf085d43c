package main

import (
	"fmt"

	"gonum.org/v1/plot/plotter"
)

// drawLearning draws how policies develop: one panel for each of what there is to
// see, with a line for each policy that has it.
func drawLearning(_ *drawing, all []series) (*figure, error) {
	all = bySweep(all)
	curves := make([][]window, len(all))
	for i := range all {
		if curves[i] = curvesOf(all[i].runs); len(curves[i]) == 0 {
			return nil, fmt.Errorf("%s has no samples", names(all)[i])
		}
	}
	var top *figure
	for _, p := range []struct {
		label  string
		value  func(*window) float64
		always bool // from 0 to 1
	}{
		{"share on time", func(w *window) float64 { return w.onTime }, false},
		{"mean reward", func(w *window) float64 { return w.reward }, false},
		{"share that explores", func(w *window) float64 { return w.epsilon }, false},
		{"share that the learner decides", func(w *window) float64 { return w.learned }, true},
	} {
		f := newFigure("", p.label)
		if err := f.curves(names(all), curves, p.value); err != nil {
			return nil, err
		}
		switch {
		case top == nil:
			top = f
		case f.drawn > 0:
			top.under = append(top.under, f)
		}
		if p.always {
			f.Y.Min, f.Y.Max = 0, 1
		}
	}
	top.lowest().X.Label.Text = "time (s)"
	return top, nil
}

// curves adds a line for each curve that has values; its colour is the same in all
// panels.
func (f *figure) curves(names []string, curves [][]window, value func(*window) float64) error {
	for i, name := range names {
		var points plotter.XYs
		for k := range curves[i] {
			if y := value(&curves[i][k]); finite(y) != nil {
				points = append(points, plotter.XY{X: curves[i][k].until, Y: y})
			}
		}
		if len(points) == 0 {
			f.lines++ // its colour is not another's
			continue
		}
		if err := f.line(name, points, nil, false); err != nil {
			return err
		}
		f.drawn++
	}
	return nil
}
