package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// printer prints outcomes as a table, as CSV or as JSON.
type printer struct{ json, csv, detail bool }

func (p *printer) addTo(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.json, "json", false, "print one JSON object a run")
	cmd.Flags().BoolVar(&p.csv, "csv", false, "print CSV")
	cmd.Flags().BoolVar(&p.detail, "detail", false, "with --json: what plots of distributions, nodes and time need as well")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
}

func (p *printer) detailed() bool { return p.json && p.detail }

// print prints what run emits. JSON and CSV appear as it comes, a table at the
// end. What came before an error is printed in any case.
func (p *printer) print(w io.Writer, run func(emit func(*outcome) error) error) error {
	switch {
	case p.json:
		return run(func(o *outcome) error {
			line, err := o.line()
			if err == nil {
				_, err = w.Write(line)
			}
			return err
		})
	case p.csv:
		return printCSV(w, run)
	}
	rows := [][]string{{"SCENARIO", "POLICY", "SEED", "REQUESTS", "IN DEADLINE", "SERVED", "REFUSED", "EXPIRED", "LOST", "MEAN", "P95",
		"FORWARDED", "HOPS", "PROBES", "PULLS", "UTILISATION"}}
	err := run(func(o *outcome) error {
		rows = append(rows, row(o))
		return nil
	})
	if len(rows) == 1 {
		return err
	}
	if printed := printTable(w, rows); err == nil {
		err = printed
	}
	return err
}

func row(o *outcome) []string {
	share := func(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }
	return []string{
		o.label(), o.policy(), strconv.FormatUint(o.Seed, 10), strconv.Itoa(o.Requests),
		share(o.InDeadline), share(o.Served), share(o.Refused), share(o.Expired), share(o.Lost),
		milliseconds(o.Mean), milliseconds(o.P95), share(o.Forwarded), fmt.Sprintf("%.2f", o.Hops),
		fmt.Sprintf("%.2f", o.Probes), fmt.Sprintf("%.2f", o.Pulls), fmt.Sprintf("%.3f", o.Utilisation),
	}
}

func milliseconds(s float64) string {
	return (time.Duration(s*1e6) * time.Microsecond).Round(100 * time.Microsecond).String()
}

func printCSV(w io.Writer, run func(emit func(*outcome) error) error) error {
	c := csv.NewWriter(w)
	if err := c.Write(append([]string{"mode", "scenario", "policy", "seed", "nodes", "requests"}, measureNames()...)); err != nil {
		return err
	}
	err := run(func(o *outcome) error {
		line := []string{o.Mode, o.label(), o.policy(), strconv.FormatUint(o.Seed, 10), strconv.Itoa(o.Nodes), strconv.Itoa(o.Requests)}
		for _, m := range measures() {
			line = append(line, strconv.FormatFloat(m.of(&o.Result), 'g', -1, 64))
		}
		return c.Write(line)
	})
	c.Flush()
	if err == nil {
		err = c.Error()
	}
	return err
}

// printTable writes rows in aligned columns, the first row being the heading.
func printTable(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}
