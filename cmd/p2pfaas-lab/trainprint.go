package main

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

// tenths is how many windows of a run are printed.
const tenths = 10

// print tells how a run went beside the default's.
func (t *training) print(w io.Writer, of, beside *outcome) error {
	if t.json {
		for _, o := range []*outcome{of, beside} {
			line, err := o.line()
			if err == nil {
				_, err = w.Write(line)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Fprintf(w, "%s, seed %d\n", of.label(), of.Seed)
	rows := [][]string{{"UNTIL", "ON TIME", "OF " + theDefault, "DIFFERENCE", "REWARD", "EXPLORES", "DECIDES"}}
	own, other := windowsOf(of.Detail.Samples, tenths), windowsOf(beside.Detail.Samples, tenths)
	for i := range own {
		rows = append(rows, developed(&own[i], &other[i]))
	}
	whole, all := windowOf(of.Detail.Samples, new(learned)), windowOf(beside.Detail.Samples, new(learned))
	last := developed(&whole, &all)
	last[0] = "all"
	if err := printTable(w, append(rows, last)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// developed is a row of the table.
func developed(own, other *window) []string {
	return []string{
		(time.Duration(own.until * float64(time.Second))).Round(time.Second).String(),
		share(own.onTime), share(other.onTime), fmt.Sprintf("%+.4f", own.onTime-other.onTime),
		share(own.reward), share(own.epsilon), share(own.learned),
	}
}

// share is empty for what is none.
func share(x float64) string {
	if finite(x) == nil {
		return ""
	}
	return strconv.FormatFloat(x, 'f', 4, 64)
}

// printEnd tells what was written; beside JSON it is no result.
func (t *training) printEnd(stdout, stderr io.Writer, m *model, runs int) error {
	w := stdout
	if t.json {
		w = stderr
	}
	_, err := fmt.Fprintf(w, "%s: what %s has learned (%d runs, %d KB). REWARD and EXPLORES are means over the nodes; DECIDES is the share that was not the default's.\n",
		m.path, t.policies.String(), runs, (len(m.data)+1023)/1024)
	return err
}
