package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/cmd/p2pfaas-lab/live"
)

const aboutLive = `Run scenarios on p2pfaas-node processes, one after the other, each in real time,
and print what came of each as "sim" does. The nodes get the arrivals that "sim"
simulates for the same file and seed; their function sleeps, so that many nodes fit on
one machine. With --lan, as root, each node is on a machine of its own (a network
namespace) with the scenario's delays; without it all are on loopback.

To compare with "sim" give it what holds for real nodes: --with expiry=on --with
cut=true, and --with delay=0s unless there was --lan.
` + aboutStudy

// real runs a study on real nodes.
type real struct {
	study
	program  string
	lan      bool
	underWay int
	detailed bool
}

func newLive() *cobra.Command {
	l := real{study: study{registry: policies()}}
	var out printer
	cmd := &cobra.Command{
		Use:   "live FILE…",
		Short: "Run scenarios on real nodes",
		Long:  aboutLive,
		Args:  files,
		RunE: func(cmd *cobra.Command, args []string) error {
			trials, err := l.ready(args)
			if err != nil {
				return err
			}
			l.detailed = out.detailed()
			return out.print(cmd.OutOrStdout(), func(emit func(*outcome) error) error {
				return l.run(cmd.Context(), cmd.ErrOrStderr(), trials, emit)
			})
		},
	}
	l.addTo(cmd)
	f := cmd.Flags()
	f.StringVar(&l.program, "node-binary", "", "`path` of p2pfaas-node (default beside this program)")
	f.BoolVar(&l.lan, "lan", false, "a machine for each node, with the scenario's delays; takes Linux and root")
	f.IntVar(&l.underWay, "under-way", 10_000, "invocations without an answer at most; more are not sent, and counted")
	out.addTo(cmd)
	return cmd
}

// ready checks all before the first run, which may be hours before the last.
func (l *real) ready(paths []string) ([]trial, error) {
	if l.underWay < 1 {
		return nil, usagef("--under-way %d: want 1 or more", l.underWay)
	}
	trials, err := l.trials(paths)
	if err != nil {
		return nil, err
	}
	for i := range trials {
		if err := live.Check(trials[i].scenario); err != nil {
			return nil, usageError{err}
		}
	}
	if l.program == "" {
		exe, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find p2pfaas-node: %w", err)
		}
		l.program = filepath.Join(filepath.Dir(exe), "p2pfaas-node")
	}
	if _, err := os.Stat(l.program); err != nil {
		return nil, usagef("there is no program %s: build it, or name it with --node-binary", l.program)
	}
	return trials, nil
}

func (l *real) run(ctx context.Context, stderr io.Writer, trials []trial, emit func(*outcome) error) error {
	bar := newProgress(stderr, len(trials))
	defer bar.clear()
	r := runner{workers: 1, do: l.live, ended: bar.ended}
	return r.run(ctx, trials, func(o *outcome) error {
		bar.clear()
		if o.Live.Late > 0.01 || o.Live.Unsent > 0 {
			fmt.Fprintf(stderr, "%s with %s, seed %d: %.1f %% of the requests were sent late, up to %.0f ms, and %.1f %% not at all: this machine is too busy\n",
				o.label(), o.policy(), o.Seed, 100*o.Live.Late, 1000*o.Live.Latest, 100*o.Live.Unsent)
		}
		return emit(o)
	})
}

// samplePeriod is that of a detailed run.
const samplePeriod = time.Second

func (l *real) live(ctx context.Context, t *trial) (*outcome, error) {
	cfg := live.Config{Program: l.program, Scenario: t.scenario, Policy: t.choice.name, Set: t.parameters(), Seed: t.seed,
		LAN: l.lan, MaxUnderWay: l.underWay}
	if t.choice.model != nil {
		cfg.Model = t.choice.model.data
	}
	if l.detailed {
		cfg.Sample = samplePeriod
	}
	report, err := live.Run(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w", t.scenario.Name, t.choice, err)
	}
	o := outcomeOf("live", t, &report.Result, l.detailed)
	o.Live = &liveNotes{Late: report.Late, Latest: report.Latest.Seconds(), Unsent: report.Unsent, CPU: report.CPU}
	return o, nil
}
