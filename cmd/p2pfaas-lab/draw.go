package main

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// steps is how finely curves that are averaged are drawn.
const steps = 300

// drawCDF draws which share of all requests was answered within a time.
func drawCDF(_ *drawing, all []series) (*figure, error) {
	all = bySweep(all)
	f := newFigure("response time (s)", "share of all requests")
	longest := 0.0
	for _, s := range all {
		for _, o := range s.runs {
			longest = max(longest, o.P99*1.1)
		}
	}
	for i, name := range names(all) {
		var points plotter.XYs
		for k := range steps + 1 {
			x, sum := longest*float64(k)/steps, 0.0
			for _, o := range all[i].runs {
				sum += at(o.Detail.CDF, x)
			}
			points = append(points, plotter.XY{X: x, Y: sum / float64(len(all[i].runs))})
		}
		if err := f.line(name, points, nil, false); err != nil {
			return nil, err
		}
	}
	f.Y.Min, f.Y.Max = 0, 1
	return f, nil
}

// at is a curve's height at x: straight between its points, flat outside.
func at(curve [][2]float64, x float64) float64 {
	i, _ := slices.BinarySearchFunc(curve, x, func(p [2]float64, x float64) int {
		if p[0] < x {
			return -1
		}
		return 1
	})
	switch {
	case len(curve) == 0:
		return 0
	case i == 0:
		return curve[0][1]
	case i == len(curve):
		return curve[i-1][1]
	}
	a, b := curve[i-1], curve[i]
	return a[1] + (b[1]-a[1])*(x-a[0])/(b[0]-a[0])
}

// drawNodes draws what share of its requests each node has answered in time.
func drawNodes(_ *drawing, all []series) (*figure, error) {
	all = bySweep(all)
	f := newFigure("node", "share of its requests that was in time")
	for i, name := range names(all) {
		var points plotter.XYs
		for n := range all[i].runs[0].Detail.Nodes {
			if share, ok := shareOf(all[i].runs, n); ok {
				points = append(points, plotter.XY{X: float64(n), Y: share})
			}
		}
		if len(points) == 0 {
			return nil, fmt.Errorf("%s has no requests at any node", name)
		}
		if err := f.line(name, points, nil, true); err != nil {
			return nil, err
		}
	}
	f.Y.Max = 1
	return f, nil
}

// shareOf is over all runs; ok is false if nothing entered at the node.
func shareOf(runs []*outcome, node int) (share float64, ok bool) {
	var in, all int
	for _, o := range runs {
		if node < len(o.Detail.Nodes) {
			in += o.Detail.Nodes[node].InDeadline
			all += o.Detail.Nodes[node].Requests
		}
	}
	return float64(in) / float64(max(1, all)), all > 0
}

// drawTime draws how many invocations were in the mesh.
func drawTime(_ *drawing, all []series) (*figure, error) {
	all = bySweep(all)
	f := newFigure("time (s)", "invocations that run or wait")
	for i, name := range names(all) {
		var points plotter.XYs
		for k, s := range all[i].runs[0].Detail.Samples {
			sum, count := 0, 0
			for _, o := range all[i].runs {
				if k < len(o.Detail.Samples) {
					sum += o.Detail.Samples[k].Running + o.Detail.Samples[k].Queued
					count++
				}
			}
			points = append(points, plotter.XY{X: s.At, Y: float64(sum) / float64(count)})
		}
		if len(points) == 0 {
			return nil, fmt.Errorf("%s has no samples", name)
		}
		if err := f.line(name, points, nil, false); err != nil {
			return nil, err
		}
	}
	f.Y.Min = 0
	return f, nil
}
