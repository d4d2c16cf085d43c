package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/sched"
)

const aboutTrain = `Train a policy that learns, in virtual time, and write what it has learned to a
file that "p2pfaas-node policy import" takes, and --model of "sim", "compare" and
"live". It goes through the scenarios in the order given, and through the seeds of
each; what the nodes have learned in one run is averaged by evidence, and they begin
the next with it. With --together all begin alike, and the average is over all.

Printed is how the share on time developed in tenths of each run, beside that of the
default on the same arrivals.

What is learned of functions carries over to other meshes where the functions are
called the same; what is learned of single peers does not, as those are others.`

const examplesTrain = `  p2pfaas-lab train examples/scenarios/unnoticed.toml --seed 1-5 -o model.json
  p2pfaas-node policy set calibrated && p2pfaas-node policy import model.json
  p2pfaas-lab compare examples/scenarios/unnoticed.toml -p spread,calibrated,calibrated@model.json
  p2pfaas-lab train day.toml night.toml -p residual:alpha=0.1 --from model.json --together -o model.json`

const (
	// pupil is the policy that is trained if none is named.
	pupil = "calibrated"
	// theDefault is what it is compared with.
	theDefault = "spread"
)

// training is the command's settings.
type training struct {
	virtual
	from, out string
	together  bool
	json      bool
}

func newTrain() *cobra.Command {
	t := training{virtual: virtual{study: study{registry: policies()}, detailed: true}}
	cmd := &cobra.Command{
		Use: "train FILE…", Short: "Train a policy in virtual time, for nodes to begin with",
		Long: aboutTrain, Example: examplesTrain, Args: files,
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.do(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.VarP(&t.policies, "policy", "p", "policy to train (default "+pupil+")")
	f.Var(&t.seeds, "seed", "seeds to run, as 1-5 or 1,3,7, instead of the scenario's")
	f.Var(&t.with, "with", "change of a key of the scenarios; repeatable")
	f.StringVar(&t.from, "from", "", "model to go on from, as a `file`")
	f.StringVarP(&t.out, "out", "o", "model.json", "`file` to write the model to")
	f.BoolVar(&t.together, "together", false, "begin each run alike and average over all, rather than one after the other")
	f.BoolVar(&t.json, "json", false, "print both policies' runs with their detail, as \"plot learning\" reads them")
	f.IntVar(&t.parallel, "parallel", 2, "`runs` at a time")
	return cmd
}

// do trains, prints and writes. A model is written only when all is done.
func (t *training) do(ctx context.Context, paths []string, stdout, stderr io.Writer) error {
	trials, err := t.ready(paths)
	if err != nil {
		return err
	}
	bar := newProgress(stderr, 2*len(trials))
	defer bar.clear()
	trainer := trainer{virtual: &t.virtual, ended: bar.ended, report: func(of, beside *outcome) error {
		bar.clear()
		return t.print(stdout, of, beside)
	}}
	known, err := trainer.train(ctx, trials, t.together)
	if err != nil {
		return err
	}
	known.path = t.out
	if err := known.write(); err != nil {
		return err
	}
	bar.clear()
	return t.printEnd(stdout, stderr, known, len(trials))
}

// ready are the runs, which begin with --from if there is one.
func (t *training) ready(paths []string) ([]trial, error) {
	if len(t.policies) == 0 {
		t.policies = choices{{name: pupil}}
	}
	if len(t.policies) > 1 {
		return nil, usagef("--policy %s: one is trained at a time", t.policies.String())
	}
	if t.parallel < 1 {
		return nil, usagef("--parallel %d: want 1 or more", t.parallel)
	}
	c := &t.policies[0]
	if t.from != "" {
		var err error
		if c.model, err = readModel(t.from); err != nil {
			return nil, usageError{err}
		}
	}
	p, err := c.build(t.registry, c.set)
	if err != nil {
		return nil, usageError{err}
	}
	_, learns := p.(sched.Learner)
	_, keeps := p.(sched.Snapshotter)
	_, elsewhere := p.(sched.Asker)
	if !learns || !keeps || elsewhere {
		return nil, usageError{fmt.Errorf("train %s: %w; try %s, residual or sarsa", c.name, errLearnsNothing, pupil)}
	}
	return t.trials(paths)
}
