package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

const aboutCompare = `Run several policies on the same arrivals, with several seeds, and print for
each scenario the mean of a measure with its 95 % confidence interval (Student's t,
over the seeds). With --against also the ratio of the means to those of one
policy, and the mean difference over runs of the same seed, whose interval tells
whether there is one.

A file may also be what "sim --json" or "live --json" has printed, which is
compared as it is.
` + aboutStudy

// Policies and seeds that are compared where none are named.
const (
	usualPolicies = "spread,spread-v1,power-of-n:f=2,t=1,local,perfect:expire=true"
	usualSeeds    = "1-5"
)

// comparing is the command's settings.
type comparing struct {
	virtual
	measures []string
	against  string
	layout   layout
}

func newCompare() *cobra.Command {
	c := comparing{virtual: virtual{study: study{registry: sim.WithBounds(policies())}}}
	cmd := &cobra.Command{
		Use:   "compare FILE…",
		Short: "Compare policies: means, confidence intervals, ratios",
		Long:  aboutCompare,
		Args:  files,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.do(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	c.addTo(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&c.measures, "measure", []string{"in_deadline"}, "`name` of what is compared; repeatable; all for everything")
	f.StringVar(&c.against, "against", "", "`policy` that the others are related to")
	c.layout.addTo(cmd)
	_ = cmd.RegisterFlagCompletionFunc("measure", cobra.FixedCompletions(measureNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *comparing) do(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	chosen, err := chosenMeasures(c.measures)
	if err != nil {
		return err
	}
	against, err := c.defaults()
	if err != nil {
		return err
	}
	all := newComparison()
	err = c.gather(ctx, stderr, args, func(o *outcome) error {
		all.add(o)
		return nil
	})
	if err != nil && !errors.Is(err, errInterrupted) {
		return err
	}
	if against != "" && !slices.Contains(all.policies, against) {
		return errors.Join(usagef("--against %s: there is no run of it", against), err)
	}
	for i := range chosen {
		if printed := c.layout.print(stdout, all, &chosen[i], against); printed != nil {
			return printed
		}
	}
	return errors.Join(c.layout.end(stdout), err)
}

// defaults adds what was not said: the policies, the seeds, and the policy to
// relate to, whose text is returned.
func (c *comparing) defaults() (against string, err error) {
	if len(c.policies) == 0 {
		if err := c.policies.Set(usualPolicies); err != nil {
			return "", err
		}
	}
	if len(c.seeds) == 0 {
		if err := c.seeds.Set(usualSeeds); err != nil {
			return "", err
		}
	}
	if c.against == "" {
		return "", nil
	}
	reference, err := parseChoice(c.against)
	if err != nil {
		return "", usagef("--against: %w", err)
	}
	against = c.complete(reference).String()
	if !slices.ContainsFunc(c.policies, func(p choice) bool { return c.complete(p).String() == against }) {
		c.policies = append(c.policies, reference)
	}
	return against, nil
}

func chosenMeasures(names []string) (chosen []measure, err error) {
	if slices.Contains(names, "all") {
		return measures(), nil
	}
	for _, name := range names {
		m, err := measureOf(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, m)
	}
	return chosen, nil
}

// gather emits what is in files of outcomes, and runs files of scenarios.
func (v *virtual) gather(ctx context.Context, stderr io.Writer, paths []string, emit func(*outcome) error) error {
	var scenarios []string
	for _, path := range paths {
		if !isOutcomes(path) {
			scenarios = append(scenarios, path)
			continue
		}
		if err := readOutcomes(path, emit); err != nil {
			return err
		}
	}
	if len(scenarios) == 0 {
		return nil
	}
	trials, err := v.trials(scenarios)
	if err != nil {
		return err
	}
	return v.run(ctx, stderr, trials, emit)
}

// interval is "0.9912 ±0.0008".
func interval(m *measure, e estimate) string {
	text := m.shown(e.mean)
	if e.runs > 1 {
		text += " ±" + m.shown(e.half)
	}
	return text
}

func signed(m *measure, e estimate) string {
	if e.mean > 0 {
		return "+" + interval(m, e)
	}
	return interval(m, e)
}

func ratioText(f *finding) string {
	if f.against == "" || finite(f.ratio) == nil { // nothing to compare with, or a reference of 0
		return ""
	}
	return fmt.Sprintf("%.4f", f.ratio)
}
