package main

import (
	"bytes"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// figure is a plot with a colour, a dash and a glyph for each line, and maybe others
// below it with the same horizontal axis.
type figure struct {
	*plot.Plot
	lines int // colours in use
	drawn int // curves that had points
	under []*figure
}

func newFigure(x, y string) *figure {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left, p.Legend.ThumbnailWidth = true, true, 0.8*vg.Centimeter
	p.Legend.Padding = vg.Points(2)
	return &figure{Plot: p}
}

// lowest is the last of those below it, or itself.
func (f *figure) lowest() *figure {
	if len(f.under) == 0 {
		return f
	}
	return f.under[len(f.under)-1]
}

// colours are those of Okabe and Ito, which the colour-blind tell apart.
func colours() []color.RGBA {
	return []color.RGBA{
		{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
		{0, 0, 0, 255}, {86, 180, 233, 255}, {230, 159, 0, 255}, {120, 120, 120, 255},
	}
}

// line adds a line with marks at its points, if marked, and bars up and down if
// there are any.
func (f *figure) line(name string, points plotter.XYs, halves []float64, marked bool) error {
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("draw %s: %w", name, err)
	}
	all := colours()
	line.Color, line.Width = all[f.lines%len(all)], vg.Points(1.5)
	if f.lines >= len(all) {
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
	}
	f.lines++
	f.Add(line)
	f.Legend.Add(name, line)
	if marked {
		marks, err := plotter.NewScatter(points)
		if err != nil {
			return fmt.Errorf("draw %s: %w", name, err)
		}
		marks.Color, marks.Radius, marks.Shape = line.Color, vg.Points(2.5), draw.CircleGlyph{}
		f.Add(marks)
	}
	if halves == nil {
		return nil
	}
	return f.bars(points, halves, line.Color)
}

// errorBars are points with as much above as below.
type errorBars struct {
	plotter.XYs
	halves []float64
}

// YError implements plotter.YErrorer.
func (e errorBars) YError(i int) (low, high float64) { return e.halves[i], e.halves[i] }

func (f *figure) bars(points plotter.XYs, halves []float64, c color.Color) error {
	bars, err := plotter.NewYErrorBars(errorBars{points, halves})
	if err != nil {
		return fmt.Errorf("draw intervals: %w", err)
	}
	bars.Color = c
	f.Add(bars)
	return nil
}

// save draws the legend beside the plot rather than over its lines.
func (f *figure) save(path string, width, height vg.Length) error {
	canvas, err := draw.NewFormattedCanvas(width, height, strings.TrimPrefix(strings.ToLower(filepath.Ext(path)), "."))
	if err != nil {
		return fmt.Errorf("write plot: %w", err)
	}
	legend := f.Legend
	all := draw.New(canvas)
	room := legend.Rectangle(all).Size().X + 0.4*vg.Centimeter
	f.panels(draw.Crop(all, 0, -room, 0, -vg.Points(6)))
	legend.Draw(draw.Crop(all, all.Rectangle.Size().X-room, 0, 0, -vg.Points(12)))
	var picture bytes.Buffer
	if _, err := canvas.WriteTo(&picture); err != nil {
		return fmt.Errorf("write plot: %w", err)
	}
	if err := os.WriteFile(path, picture.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write plot: %w", err)
	}
	return nil
}

// panels draws the figure and those below it, each as high and their axes in line,
// without legends.
func (f *figure) panels(area draw.Canvas) {
	var plots [][]*plot.Plot
	for _, p := range append([]*figure{f}, f.under...) {
		p.Legend = plot.NewLegend()
		plots = append(plots, []*plot.Plot{p.Plot})
	}
	rows := draw.Tiles{Rows: len(plots), Cols: 1, PadY: 0.3 * vg.Centimeter}
	for i, row := range plot.Align(plots, rows, area) {
		plots[i][0].Draw(row[0])
	}
}
