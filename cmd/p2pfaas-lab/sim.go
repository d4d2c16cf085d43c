package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/sim"
)

const aboutSim = `Run scenarios in virtual time and print what came of each: a table, or with
--json one object a run. The numbers are the same for the same seed, but for
decision_ns.
` + aboutStudy

func newSim() *cobra.Command {
	v := virtual{study: study{registry: sim.WithBounds(policies())}}
	var out printer
	cmd := &cobra.Command{
		Use:   "sim FILE…",
		Short: "Run scenarios in virtual time",
		Long:  aboutSim,
		Args:  files,
		RunE: func(cmd *cobra.Command, args []string) error {
			trials, err := v.trials(args)
			if err != nil {
				return err
			}
			v.detailed = out.detailed()
			return out.print(cmd.OutOrStdout(), func(emit func(*outcome) error) error {
				return v.run(cmd.Context(), cmd.ErrOrStderr(), trials, emit)
			})
		},
	}
	v.addTo(cmd)
	out.addTo(cmd)
	return cmd
}

// virtual runs a study in the simulator.
type virtual struct {
	study
	parallel int
	detailed bool
}

func (v *virtual) addTo(cmd *cobra.Command) {
	v.study.addTo(cmd)
	cmd.Flags().IntVar(&v.parallel, "parallel", runtime.NumCPU(), "`runs` at a time")
}

// run emits the outcomes in the order of the trials.
func (v *virtual) run(ctx context.Context, stderr io.Writer, trials []trial, emit func(*outcome) error) error {
	if v.parallel < 1 {
		return usagef("--parallel %d: want 1 or more", v.parallel)
	}
	bar := newProgress(stderr, len(trials))
	defer bar.clear()
	r := runner{workers: v.parallel, do: v.simulate, ended: bar.ended}
	return r.run(ctx, trials, func(o *outcome) error {
		bar.clear()
		return emit(o)
	})
}

// samplesOfRun is how many samples a detailed run has.
const samplesOfRun = 240

func (v *virtual) simulate(ctx context.Context, t *trial) (*outcome, error) {
	if t.choice.model == nil {
		return v.simulateWith(ctx, t, nil)
	}
	return v.simulateWith(ctx, t, func(int) (sched.Policy, error) { return t.choice.build(v.registry, t.parameters()) })
}

// simulateWith has each node's policy made, if make is not nil.
func (v *virtual) simulateWith(ctx context.Context, t *trial, make func(node int) (sched.Policy, error)) (*outcome, error) {
	began := time.Now()
	opt := sim.Options{Policy: t.choice.name, Set: t.parameters(), Seed: t.seed, Registry: policies(), New: make,
		Clock: func() time.Duration { return time.Since(began) }}
	if v.detailed {
		opt.Sample = t.scenario.Duration / samplesOfRun
	}
	result, err := sim.Run(ctx, t.scenario, opt)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w", t.scenario.Name, t.choice, err)
	}
	return outcomeOf("sim", t, result, v.detailed), nil
}
