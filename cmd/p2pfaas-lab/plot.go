package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"gonum.org/v1/plot/vg"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

const aboutPlot = `Draw scenario files, which are run in virtual time, or what "sim --json" and "live
--json" have printed (with --detail, but for "load"). Runs that differ by their
seed alone are averaged. The ending of --out says what is written: png, svg or pdf.
` + aboutStudy

// drawing is the settings of one kind of plot.
type drawing struct {
	virtual
	out           string
	title         string
	width, height float64
	measure       string
	draw          func(*drawing, []series) (*figure, error)
}

func newPlot() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plot",
		Short: "Draw a measure against load, response times, nodes, or time",
		Long:  aboutPlot,
		Args:  knownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newDrawing("load", "A measure against what is swept, as --sweep utilisation=0.3,0.5,0.7", false, drawLoad),
		newDrawing("cdf", "Which share of all requests is answered within a time", true, drawCDF),
		newDrawing("nodes", "What share of its requests each node has answered in time", true, drawNodes),
		newDrawing("time", "How many invocations run and wait, over time", true, drawTime),
		newLearningDrawing(),
	)
	return cmd
}

func newDrawing(name, short string, detailed bool, draw func(*drawing, []series) (*figure, error)) *cobra.Command {
	d := &drawing{draw: draw}
	d.registry, d.detailed = sim.WithBounds(policies()), detailed
	cmd := &cobra.Command{
		Use: name + " FILE…", Short: short, Long: aboutPlot, Args: files,
		RunE: func(cmd *cobra.Command, args []string) error {
			return d.do(cmd.Context(), cmd.ErrOrStderr(), args)
		},
	}
	d.addTo(cmd)
	f := cmd.Flags()
	f.StringVarP(&d.out, "out", "o", name+".png", "`file` to write")
	f.StringVar(&d.title, "title", "", "`text` above the plot")
	f.Float64Var(&d.width, "width", 18, "in `cm`")
	f.Float64Var(&d.height, "height", 11, "in `cm`")
	if !detailed {
		f.StringVar(&d.measure, "measure", "in_deadline", "`name` of what is drawn")
	}
	return cmd
}

// newLearningDrawing has room for its panels.
func newLearningDrawing() *cobra.Command {
	cmd := newDrawing("learning", "How policies that learn develop, and others beside them, over time", true, drawLearning)
	cmd.Long, cmd.Example = aboutLearningPlot+aboutPlot, examplesLearningPlot
	height := cmd.Flags().Lookup("height")
	height.DefValue = "24"
	_ = height.Value.Set(height.DefValue) // it is a number
	return cmd
}

const aboutLearningPlot = `Draw learning curves: the share on time of what ended in each of 40 stretches of
the run, warm-up included, for all policies; and for those that learn the mean
reward, the share of decisions that explore, and the share that was made by what was
learned, the rest being the default's: to compare, to begin with, or in a fallback.

`

const examplesLearningPlot = `  p2pfaas-lab plot learning examples/scenarios/unnoticed.toml -p spread,calibrated,sarsa --seed 1-3 -o curves.svg
  p2pfaas-lab live examples/scenarios/live12.toml -p calibrated --json --detail > live.json
  p2pfaas-lab plot learning live.json`

func (d *drawing) do(ctx context.Context, stderr io.Writer, args []string) error {
	if err := d.check(); err != nil {
		return err
	}
	var all []*outcome
	err := d.gather(ctx, stderr, args, func(o *outcome) error {
		if d.detailed && o.Detail == nil {
			return fmt.Errorf("%s with %s has no detail: print it with --json --detail", o.label(), o.policy())
		}
		all = append(all, o)
		return nil
	})
	if err != nil {
		return err
	}
	f, err := d.draw(d, seriesOf(all))
	if err != nil {
		return err
	}
	f.Title.Text = d.title
	return f.save(d.out, vg.Length(d.width)*vg.Centimeter, vg.Length(d.height)*vg.Centimeter)
}

func (d *drawing) check() error {
	formats := []string{".png", ".svg", ".pdf"}
	if !slices.Contains(formats, strings.ToLower(filepath.Ext(d.out))) {
		return usagef("--out %s: want a file that ends with %s", d.out, strings.Join(formats, ", "))
	}
	if !(d.width >= 4 && d.width <= 200 && d.height >= 4 && d.height <= 200) {
		return usagef("--width and --height are from 4 to 200 cm")
	}
	return d.study.check()
}

// series is the runs that differ by their seed, and by what was swept.
type series struct {
	scenario, policy string
	runs             []*outcome
}

func seriesOf(all []*outcome) (list []series) {
	for _, o := range all {
		i := slices.IndexFunc(list, func(s series) bool { return s.scenario == o.Scenario && s.policy == o.policyWithoutSweep() })
		if i < 0 {
			i = len(list)
			list = append(list, series{scenario: o.Scenario, policy: o.policyWithoutSweep()})
		}
		list[i].runs = append(list[i].runs, o)
	}
	return list
}

// bySweep divides a series into one for each point that was swept.
func bySweep(all []series) (list []series) {
	for _, s := range all {
		for _, o := range s.runs {
			i := slices.IndexFunc(list, func(t series) bool { return t.scenario == o.label() && t.policy == s.policy })
			if i < 0 {
				i = len(list)
				list = append(list, series{scenario: o.label(), policy: s.policy})
			}
			list[i].runs = append(list[i].runs, o)
		}
	}
	return list
}

// policyWithoutSweep leaves out the parameters that were swept.
func (o *outcome) policyWithoutSweep() string {
	c := o.choice()
	c.set = cloned(c.set)
	for key := range o.Varied {
		delete(c.set, strings.TrimPrefix(key, "set."))
	}
	return c.String()
}

// names tells the series apart in as few words as do.
func names(all []series) []string {
	var list []string
	for _, s := range all {
		name := s.policy
		if slices.ContainsFunc(all, func(t series) bool { return t.scenario != s.scenario }) {
			name = s.scenario + ", " + s.policy
		}
		list = append(list, name)
	}
	return list
}
