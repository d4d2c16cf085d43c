package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/cell"
	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
	"github.com/p2pfaas/p2pfaas/examples/bench/report"
	"github.com/p2pfaas/p2pfaas/examples/bench/stage"
)

// course is a run under way.
type course struct {
	options
	out     io.Writer
	bodies  *cell.Bodies
	stages  map[time.Duration]*stage.Stage
	routes  map[time.Duration]map[string]*stage.Route
	records figures.Records
}

// cells are those that the options ask for, without those of too many bytes or,
// at a distance, of other numbers of callers.
func (o options) cells() []figures.Cell {
	var cells []figures.Cell
	for _, d := range o.distance {
		for _, body := range o.sizes {
			for _, n := range o.atOnce {
				if body*n <= maxInFlight && (d == 0 || slices.Contains(o.farOnce, n)) {
					cells = append(cells, figures.Cell{Body: body, AtOnce: n, Distance: d})
				}
			}
		}
	}
	return cells
}

// open starts all that the paths need.
func (c *course) open(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, d := range c.distance {
		s, err := stage.New(ctx, stage.Config{Self: self, Node: c.node, Before: c.before, Servers: c.servers, LogLevel: c.logLevel, Delay: d / 2})
		if err != nil {
			return err
		}
		c.stages[d], c.routes[d] = s, map[string]*stage.Route{}
		if err := c.openPaths(s, d); err != nil {
			return err
		}
	}
	if c.awake {
		return c.stages[c.distance[0]].KeepAwake()
	}
	return nil
}

// openPaths opens those that this machine has all for.
func (c *course) openPaths(s *stage.Stage, distance time.Duration) error {
	for _, p := range slices.Clone(c.paths) {
		r, err := p.Open(s)
		switch {
		case errors.Is(err, stage.ErrMissing):
			c.leaveOut(p, err)
		case err != nil:
			return fmt.Errorf("path %s: %w", p.Name, err)
		default:
			c.routes[distance][p.Name] = r
		}
	}
	return nil
}

// leaveOut measures the rest without a path, and says so.
func (c *course) leaveOut(p stage.Path, why error) {
	fmt.Fprintf(c.out, "\nPATH %s IS LEFT OUT: %v\n\n", p.Name, why)
	c.paths = slices.DeleteFunc(slices.Clone(c.paths), func(q stage.Path) bool { return q.Name == p.Name })
}

func (c *course) close() error {
	var err error
	for d, s := range c.stages {
		for _, r := range c.routes[d] {
			err = errors.Join(err, r.Close())
		}
		err = errors.Join(err, s.Close())
	}
	return err
}

// run measures all cells, in each repetition once, the paths of a cell right
// after one another in an order that changes.
func (c *course) run(ctx context.Context) error {
	order := rand.New(rand.NewPCG(1, 2))
	for rep := range c.reps {
		fmt.Fprintf(c.out, "repetition %d of %d\n", rep+1, c.reps)
		for _, at := range c.cells() {
			paths := slices.Clone(c.paths)
			order.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
			for _, p := range paths {
				if err := c.measure(ctx, p, at, rep); err != nil {
					return fmt.Errorf("path %s, %s: %w", p.Name, report.CellName(at), errors.Join(err, c.stages[at.Distance].Died()))
				}
			}
		}
	}
	return nil
}

// warmTrips is how many round trips a path has to find its pace: windows grow by
// the round trip.
const warmTrips = 15

func (c *course) measure(ctx context.Context, p stage.Path, at figures.Cell, rep int) error {
	r := c.routes[at.Distance][p.Name]
	load := cell.Load{Body: at.Body, AtOnce: at.AtOnce, Warm: c.time/5 + warmTrips*at.Distance, Time: c.time}
	res, err := cell.Measure(ctx, r, load, c.bodies, r)
	if err != nil {
		return err
	}
	if at.Distance > 0 && res.Calls > 0 && res.P50 < at.Distance {
		return fmt.Errorf("answered in %v although it is %v away: it found a way round the relay", res.P50, at.Distance)
	}
	if p.Product && res.Lost > 0 {
		fmt.Fprintf(c.out, "LOST: %s, %s: %d calls, the first: %s\n", p.Name, report.CellName(at), res.Lost, res.Loss)
	}
	c.records = append(c.records, figures.Record{Path: p.Name, Cell: at, Repetition: rep, Result: res})
	return nil
}
