// Package report prints what a run has measured, and writes it to files.
package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
)

// Row is a path as the report names it.
type Row struct {
	Name, Title string
	Product     bool // it may not lose a call
}

// Tables prints one table per cell: each path's ratios to base, and its own
// numbers.
func Tables(w io.Writer, rs figures.Records, rows []Row, base string) error {
	for _, c := range rs.Cells() {
		if err := table(w, rs, rows, base, c); err != nil {
			return err
		}
	}
	return nil
}

func table(w io.Writer, rs figures.Records, rows []Row, base string, c figures.Cell) error {
	fmt.Fprintf(w, "\n%s: ratios to %s, median [quartiles]\n", CellName(c), base)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "path\tp50\tp99\treq/s\tCPU\t|\tp50\tp99\treq/s\tCPU client+hops\tallocs\tlost")
	for _, row := range rows {
		if _, calls, _ := rs.Lost(row.Name, c); calls == 0 {
			continue
		}
		cells := []string{row.Name}
		for _, m := range []figures.Measure{figures.P50, figures.P99, figures.Rate, figures.CPU} {
			cells = append(cells, Ratio(rs.Ratio(m, row.Name, base, c)))
		}
		cells = append(cells, "|", own(rs, row.Name, c))
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

// own are a path's numbers as they are.
func own(rs figures.Records, path string, c figures.Cell) string {
	p50, p99 := rs.Value(figures.P50, path, c), rs.Value(figures.P99, path, c)
	rate, cpu := rs.Value(figures.Rate, path, c), rs.Value(figures.CPU, path, c)
	allocs := rs.Value(figures.Allocs, path, c)
	objects := "-"
	if allocs.Known() {
		objects = fmt.Sprintf("%.0f", allocs.Median)
	}
	lost, calls, _ := rs.Lost(path, c)
	missing := "0"
	if lost > 0 {
		missing = fmt.Sprintf("%d of %d", lost, lost+calls)
	}
	return fmt.Sprintf("%s\t%s\t%.0f\t%s\t%s\t%s", duration(p50.Median), duration(p99.Median), rate.Median, duration(cpu.Median), objects, missing)
}

// Ratio is a spread of ratios as people read it.
func Ratio(s figures.Spread) string {
	if !s.Known() {
		return "-"
	}
	return fmt.Sprintf("%s [%s-%s]", figure(s.Median), figure(s.Low), figure(s.High))
}

// figure has two or three digits that count.
func figure(f float64) string {
	switch {
	case math.Abs(f) >= 9.95:
		return fmt.Sprintf("%.0f", f)
	case math.Abs(f) >= 2.995:
		return fmt.Sprintf("%.1f", f)
	default:
		return strings.TrimPrefix(fmt.Sprintf("%.2f", f), "0")
	}
}

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= 100*time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}

// CellName says what a cell is.
func CellName(c figures.Cell) string {
	name := Bytes(c.Body) + ", " + fmt.Sprint(c.AtOnce) + " at once"
	if c.Distance > 0 {
		name += ", " + c.Distance.String() + " away"
	}
	return name
}

// Bytes is a size as people read it.
func Bytes(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KB", n>>10)
	default:
		return fmt.Sprintf("%d B", n)
	}
}
