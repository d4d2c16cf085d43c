package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/spf13/cobra"
)

// layout is how findings are printed.
type layout struct {
	json, csv, markdown bool
	lines               int // printed so far
}

func (l *layout) addTo(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&l.json, "json", false, "print one JSON object for each scenario, policy and measure")
	cmd.Flags().BoolVar(&l.csv, "csv", false, "print the same as CSV")
	cmd.Flags().BoolVar(&l.markdown, "markdown", false, "print tables in Markdown")
	cmd.MarkFlagsMutuallyExclusive("json", "csv", "markdown")
}

// print prints what there is to say of one measure.
func (l *layout) print(w io.Writer, c *comparison, m *measure, against string) error {
	findings := c.find(m, against)
	switch {
	case l.json:
		return printFindings(w, findings)
	case l.csv:
		return l.rows(w, findings)
	}
	return l.tables(w, c, m, findings, against)
}

// end is the line that says what the tables mean.
func (l *layout) end(w io.Writer) error {
	if l.json || l.csv || l.lines == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n± is half of the %.0f %% confidence interval of the mean over the seeds (Student's t).\n", 100*confidence)
	return err
}

func (l *layout) tables(w io.Writer, c *comparison, m *measure, findings []finding, against string) error {
	if err := l.table(w, m.name+": "+m.meaning, c.matrix("SCENARIO", findings, func(f *finding) string { return interval(m, f.value) })); err != nil {
		return err
	}
	if against == "" {
		return nil
	}
	if err := l.table(w, m.name+", ratio to "+against, c.matrix("SCENARIO", findings, ratioText)); err != nil {
		return err
	}
	return l.table(w, m.name+", difference to "+against+" at the same seed", c.matrix("SCENARIO", findings, func(f *finding) string {
		if f.against == "" || f.policy == against {
			return ""
		}
		return signed(m, f.difference)
	}))
}

func (l *layout) table(w io.Writer, title string, rows [][]string) error {
	if l.lines > 0 {
		fmt.Fprintln(w)
	}
	l.lines += len(rows)
	if l.markdown {
		_, err := fmt.Fprintf(w, "%s\n\n%s", title, markdown(rows))
		return err
	}
	fmt.Fprintln(w, title)
	return printTable(w, rows)
}

// findingJSON is a finding as JSON. Half widths of single runs are null.
type findingJSON struct {
	Scenario       string   `json:"scenario"`
	Policy         string   `json:"policy"`
	Measure        string   `json:"measure"`
	Runs           int      `json:"runs"`
	Mean           float64  `json:"mean"`
	Half           *float64 `json:"half_width"`
	Against        string   `json:"against,omitempty"`
	Ratio          *float64 `json:"ratio,omitempty"`
	Difference     *float64 `json:"difference,omitempty"`
	DifferenceHalf *float64 `json:"difference_half_width,omitempty"`
}

func printFindings(w io.Writer, findings []finding) error {
	encoder := json.NewEncoder(w)
	for i := range findings {
		f := &findings[i]
		j := findingJSON{Scenario: f.scenario, Policy: f.policy, Measure: f.measure, Runs: f.value.runs,
			Mean: f.value.mean, Half: finite(f.value.half), Against: f.against}
		if f.against != "" {
			j.Ratio, j.Difference, j.DifferenceHalf = finite(f.ratio), finite(f.difference.mean), finite(f.difference.half)
		}
		if err := encoder.Encode(j); err != nil {
			return err
		}
	}
	return nil
}

// finite is nil for what JSON has no number for.
func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func (l *layout) rows(w io.Writer, findings []finding) error {
	c := csv.NewWriter(w)
	if l.lines == 0 {
		_ = c.Write([]string{"scenario", "policy", "measure", "runs", "mean", "half_width", "against", "ratio", "difference", "difference_half_width"})
	}
	for i := range findings {
		f := &findings[i]
		line := []string{f.scenario, f.policy, f.measure, strconv.Itoa(f.value.runs), number(f.value.mean), number(f.value.half), f.against, "", "", ""}
		if f.against != "" {
			line[7], line[8], line[9] = number(f.ratio), number(f.difference.mean), number(f.difference.half)
		}
		_ = c.Write(line) // Flush keeps the error
		l.lines++
	}
	c.Flush()
	return c.Error()
}

// number is empty for what is none.
func number(x float64) string {
	if finite(x) == nil {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
