package report

import (
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
)

// mark is how one measure looks.
type mark struct {
	measure figures.Measure
	glyph   draw.GlyphDrawer
	colour  color.Color
	shift   float64 // up, so that measures do not hide each other
}

// spreads are medians with bars to their quartiles.
type spreads struct {
	plotter.XYs
	plotter.XErrors
}

func (s *spreads) add(r figures.Spread, y float64) {
	if !r.Known() || r.Low <= 0 {
		return // a logarithm has no place for it
	}
	s.XYs = append(s.XYs, plotter.XY{X: r.Median, Y: y})
	s.XErrors = append(s.XErrors, struct{ Low, High float64 }{r.Median - r.Low, r.High - r.Median})
}

func (m mark) add(p *plot.Plot, s spreads) error {
	points, err := plotter.NewScatter(s.XYs)
	if err != nil {
		return err
	}
	points.Shape, points.Color, points.Radius = m.glyph, m.colour, vg.Points(2.5)
	bars, err := plotter.NewXErrorBars(s)
	if err != nil {
		return err
	}
	bars.Color = m.colour
	p.Add(points, bars)
	p.Legend.Add(string(m.measure), points)
	return nil
}

// ratioTicks are at the powers of two, or of four where they would crowd.
type ratioTicks struct{}

func (ratioTicks) Ticks(low, high float64) []plot.Tick {
	step := 2.0
	if high/low > 64 {
		step = 4
	}
	var ticks []plot.Tick
	for at := 1.0 / 1024; at <= high*1.01; at *= step {
		if at >= low*.99 {
			ticks = append(ticks, plot.Tick{Value: at, Label: strconv.FormatFloat(at, 'g', 3, 64)})
		}
	}
	return ticks
}
