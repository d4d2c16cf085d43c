package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/cell"
	"github.com/p2pfaas/p2pfaas/examples/bench/goals"
	"github.com/p2pfaas/p2pfaas/examples/bench/report"
	"github.com/p2pfaas/p2pfaas/examples/bench/stage"
)

// compare measures the paths side by side and tells. If it is interrupted, or a
// path hangs, it tells what was measured until then.
func compare(ctx context.Context, o options, out io.Writer) error {
	machine := report.Describe(o.node)
	fmt.Fprintf(out, "%s\n%d repetitions of %v\n", machine, o.reps, o.time)
	c := newCourse(o, out)
	err := c.open(ctx)
	if err == nil {
		err = c.run(ctx)
	}
	err = errors.Join(err, c.close())
	if len(c.records) == 0 {
		return err
	}
	return errors.Join(err, c.tell(machine))
}

// tell prints what was measured, and writes it to files.
func (c *course) tell(machine report.Machine) error {
	rows := c.rows()
	verdicts := goals.Judge(c.records, goals.All())
	err := errors.Join(
		report.Tables(c.out, c.records, rows, c.base),
		report.Verdicts(c.out, verdicts))
	if folder := c.options.out; folder != "" {
		f := report.File{Machine: machine, Goals: verdicts, Records: c.records, Settings: os.Args[1:]}
		err = errors.Join(err, f.Write(folder, rows, c.base))
		fmt.Fprintf(c.out, "\nWritten to %s: bench.json and plots.\n", folder)
	}
	return errors.Join(err, report.Losses(c.out, c.records, rows))
}

func newCourse(o options, out io.Writer) *course {
	return &course{
		options: o,
		out:     out,
		bodies:  cell.NewBodies(slices.Max(o.sizes)),
		stages:  map[time.Duration]*stage.Stage{},
		routes:  map[time.Duration]map[string]*stage.Route{},
	}
}

func (c *course) rows() []report.Row {
	var rows []report.Row
	for _, p := range c.paths {
		rows = append(rows, report.Row{Name: p.Name, Title: p.Title, Product: p.Product})
	}
	return rows
}
