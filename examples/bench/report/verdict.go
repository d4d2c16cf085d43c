package report

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
	"github.com/p2pfaas/p2pfaas/examples/bench/goals"
)

// Verdicts prints what became of the goals.
func Verdicts(w io.Writer, verdicts []goals.Verdict) error {
	fmt.Fprintln(w, "\nGoals: median [quartiles]")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\twhere\tmust\taim\tgot\treached")
	for _, v := range verdicts {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", v.Goal, CellName(v.Cell), bound(v.Goal, v.Must), bound(v.Goal, v.Aim), got(v), v.Grade)
	}
	return t.Flush()
}

func bound(g goals.Goal, f float64) string {
	switch {
	case g.Against != "":
		return figure(f) + "x"
	case g.Measure == figures.P50:
		return duration(f)
	default:
		return fmt.Sprintf("%.0f", f)
	}
}

func got(v goals.Verdict) string {
	if !v.Got.Known() {
		return "-"
	}
	return fmt.Sprintf("%s [%s-%s]", bound(v.Goal, v.Got.Median), bound(v.Goal, v.Got.Low), bound(v.Goal, v.Got.High))
}

// Losses prints who lost calls, and returns an error if one of the product's
// paths did.
func Losses(w io.Writer, rs figures.Records, rows []Row) error {
	var product, calls int
	for _, row := range rows {
		for _, c := range rs.Cells() {
			lost, whole, loss := rs.Lost(row.Name, c)
			if row.Product {
				product += lost
				calls += lost + whole
			}
			if lost > 0 {
				fmt.Fprintf(w, "lost: %s, %s: %d of %d calls, the first: %s\n", row.Name, CellName(c), lost, lost+whole, loss)
			}
		}
	}
	fmt.Fprintf(w, "p2pfaas lost %d of %d calls.\n", product, calls)
	if product > 0 {
		return fmt.Errorf("p2pfaas LOST %d of %d calls; the lines \"lost:\" say where", product, calls)
	}
	return nil
}
