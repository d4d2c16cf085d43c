package report

import (
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
)

// The size of one panel, which shows one cell.
const (
	panelWidth  = 10 * vg.Centimeter
	panelHeight = 9 * vg.Centimeter
)

// Plots draws a figure for each distance, as SVG and PNG: a panel for each cell,
// with each path's p50 and CPU as ratios to base, quartiles as bars.
func Plots(folder string, rs figures.Records, rows []Row, base string) error {
	for _, d := range distances(rs) {
		g := newGrid(rs, d)
		panels, err := g.panels(rs, rows, base)
		if err != nil {
			return fmt.Errorf("plot: %w", err)
		}
		name := "bench"
		if d > 0 {
			name += "-" + d.String()
		}
		if err := g.write(filepath.Join(folder, name), panels); err != nil {
			return fmt.Errorf("plot: %w", err)
		}
	}
	return nil
}

func distances(rs figures.Records) []time.Duration {
	var all []time.Duration
	for _, c := range rs.Cells() {
		if !slices.Contains(all, c.Distance) {
			all = append(all, c.Distance)
		}
	}
	return all
}

// grid has a row of panels for each size of bodies, a column for each number of
// callers.
type grid struct {
	distance       time.Duration
	bodies, atOnce []int
}

func newGrid(rs figures.Records, distance time.Duration) grid {
	g := grid{distance: distance}
	for _, c := range rs.Cells() {
		if c.Distance == distance {
			g.bodies = append(g.bodies, c.Body)
			g.atOnce = append(g.atOnce, c.AtOnce)
		}
	}
	slices.Sort(g.bodies)
	slices.Sort(g.atOnce)
	g.bodies, g.atOnce = slices.Compact(g.bodies), slices.Compact(g.atOnce)
	return g
}

func (g grid) panels(rs figures.Records, rows []Row, base string) ([][]*plot.Plot, error) {
	panels := make([][]*plot.Plot, len(g.bodies))
	for i, body := range g.bodies {
		for _, n := range g.atOnce {
			p, err := panel(rs, rows, base, figures.Cell{Body: body, AtOnce: n, Distance: g.distance})
			if err != nil {
				return nil, err
			}
			panels[i] = append(panels[i], p)
		}
	}
	return panels, nil
}

// panel is nil if nothing was measured in the cell.
func panel(rs figures.Records, rows []Row, base string, c figures.Cell) (*plot.Plot, error) {
	var names []string
	p := plot.New()
	marks := []mark{{figures.P50, draw.CircleGlyph{}, color.RGBA{B: 160, A: 255}, .12}, {figures.CPU, draw.TriangleGlyph{}, color.RGBA{R: 190, A: 255}, -.12}}
	points := make([]spreads, len(marks))
	for _, row := range slices.Backward(rows) { // the first on top
		if !rs.Ratio(figures.P50, row.Name, base, c).Known() {
			continue
		}
		for i, m := range marks {
			points[i].add(rs.Ratio(m.measure, row.Name, base, c), float64(len(names))+m.shift)
		}
		names = append(names, row.Name)
	}
	if len(names) == 0 {
		return nil, nil
	}
	for i, m := range marks {
		if err := m.add(p, points[i]); err != nil {
			return nil, err
		}
	}
	p.Add(plotter.NewGrid())
	p.Title.Text = CellName(c)
	p.X.Label.Text = "ratio to " + base + ", less is better"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, ratioTicks{}
	p.Legend.Top = true
	p.NominalY(names...)
	return p, nil
}

func (g grid) write(name string, panels [][]*plot.Plot) error {
	w, h := panelWidth*vg.Length(len(g.atOnce)), panelHeight*vg.Length(len(g.bodies))
	svg := vgsvg.New(w, h)
	g.draw(draw.New(svg), panels)
	img := vgimg.New(w, h)
	g.draw(draw.New(img), panels)
	return errors.Join(save(name+".svg", svg), save(name+".png", vgimg.PngCanvas{Canvas: img}))
}

func (g grid) draw(c draw.Canvas, panels [][]*plot.Plot) {
	tiles := draw.Tiles{Rows: len(g.bodies), Cols: len(g.atOnce), PadX: vg.Millimeter * 4, PadY: vg.Millimeter * 4}
	for i, row := range panels {
		for j, p := range row {
			if p != nil {
				p.Draw(tiles.At(c, j, i))
			}
		}
	}
}

func save(name string, c vg.CanvasWriterTo) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = c.WriteTo(f)
	return errors.Join(err, f.Close())
}
