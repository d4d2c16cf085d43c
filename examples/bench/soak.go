package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/cell"
	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
	"github.com/p2pfaas/p2pfaas/examples/bench/report"
	"github.com/p2pfaas/p2pfaas/examples/bench/soak"
	"github.com/p2pfaas/p2pfaas/examples/bench/stage"
)

// How a soak is watched.
const (
	lookEvery = time.Second
	sayEvery  = 10 * time.Second
)

// endure makes many calls over each of the product's paths that were chosen,
// and fails if one is lost or something grows.
func endure(ctx context.Context, o options, out io.Writer) error {
	fmt.Fprintln(out, report.Describe(o.node))
	o.distance = o.distance[:1]
	c := newCourse(o, out)
	err := c.open(ctx)
	if err == nil {
		err = c.endureAll(ctx)
	}
	return errors.Join(err, c.close())
}

func (c *course) endureAll(ctx context.Context) error {
	at := figures.Cell{Body: c.sizes[0], AtOnce: c.atOnce[len(c.atOnce)-1], Distance: c.distance[0]}
	var all error
	for _, p := range c.paths {
		if p.Product {
			all = errors.Join(all, c.endure(ctx, p, at))
		}
	}
	return all
}

func (c *course) endure(ctx context.Context, p stage.Path, at figures.Cell) error {
	fmt.Fprintf(c.out, "\n%s: %d calls, %s\n", p.Title, c.soak, report.CellName(at))
	r := c.routes[at.Distance][p.Name]
	w := newWatch(r, c.out)
	load := cell.Load{Body: at.Body, AtOnce: at.AtOnce}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- w.run(watching) }() // ends with stop
	res, err := cell.Endure(ctx, r, load, c.soak, c.bodies)
	stop()
	if err := errors.Join(err, <-ended); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "  %d calls answered, %d lost, p50 %v, p99 %v, %.0f/s\n", res.Calls, res.Lost, res.P50, res.P99, res.Rate)
	if res.Lost > 0 {
		all := fmt.Errorf("%s LOST %d of %d calls, the first: %s", p.Name, res.Lost, c.soak, res.Loss)
		return errors.Join(all, w.judge(p.Name))
	}
	return w.judge(p.Name)
}

// watch looks at the processes of a route.
type watch struct {
	route *stage.Route
	out   io.Writer
	began time.Time
	said  time.Time
	looks map[string]soak.Looks
	names []string
}

func newWatch(r *stage.Route, out io.Writer) *watch {
	return &watch{route: r, out: out, began: time.Now(), looks: map[string]soak.Looks{}}
}

func (w *watch) run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := w.look(); err != nil {
			return fmt.Errorf("look at the processes: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (w *watch) look() error {
	views, err := w.route.Look()
	if err != nil {
		return err
	}
	after := time.Since(w.began)
	say := time.Since(w.said) >= sayEvery
	w.names = w.names[:0]
	for _, v := range views {
		v.Look.After = after
		w.names = append(w.names, v.Name)
		w.looks[v.Name] = append(w.looks[v.Name], v.Look)
		if say {
			fmt.Fprintf(w.out, "  %4.0f s  %-6s %6.1f MB  %4d goroutines  %4d open files\n",
				after.Seconds(), v.Name, float64(v.Memory)/1e6, v.Goroutines, v.Files)
		}
	}
	if say {
		w.said = time.Now()
	}
	return nil
}

func (w *watch) judge(path string) error {
	var all error
	for _, name := range w.names {
		if err := w.looks[name].Flat(soak.Default()); err != nil {
			all = errors.Join(all, fmt.Errorf("%s, %s: %w", path, name, err))
			continue
		}
		fmt.Fprintf(w.out, "  %s is flat\n", name)
	}
	return all
}
