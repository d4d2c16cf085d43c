package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/p2pfaas/p2pfaas/cmd/p2pfaas-lab/scale"
)

const aboutScale = `Measure what it costs an idle node to know all others: a p2pfaas-node joins a
mesh of N-1 members, which are in a few processes that give way to whatever else the
machine does, all in a network namespace of their own. It takes Linux, about 0.3 MB of memory
for each pair of nodes, and, mostly until they know each other, a second a node.

  p2pfaas-lab scale --nodes 10,50,200`

// scaling measures meshes of several sizes.
type scaling struct {
	nodes                  []int
	settle, time, patience time.Duration
	program                string
	json, within           bool
}

func newScale() *cobra.Command {
	var s scaling
	cmd := &cobra.Command{
		Use:   "scale",
		Short: "Measure what it costs a node to know N others",
		Long:  aboutScale,
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return err
			}
			if !s.within {
				return alone(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			if err := scale.Open(); err != nil {
				return err
			}
			return s.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.IntSliceVar(&s.nodes, "nodes", []int{10, 50}, "how many nodes, one measurement for each; 2 to 500")
	f.DurationVar(&s.settle, "settle", 20*time.Second, "how long they are left alone before they are measured")
	f.DurationVar(&s.time, "time", 30*time.Second, "how long a measurement takes")
	f.DurationVar(&s.patience, "patience", 15*time.Minute, "how long they may take to know each other")
	f.StringVar(&s.program, "node-binary", "", "`path` of p2pfaas-node (default beside this program)")
	f.BoolVar(&s.json, "json", false, "print one JSON object a measurement")
	f.BoolVar(&s.within, "within", false, "this is the process in the namespace")
	_ = f.MarkHidden("within") // fails only for a flag that does not exist
	cmd.AddCommand(newCrowd())
	return cmd
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s: %q is one argument too many", cmd.Name(), args[0])
	}
	return nil
}

func (s *scaling) check() error {
	for _, n := range s.nodes {
		if n < 2 || n > 500 {
			return usagef("--nodes %d: want 2 to 500", n)
		}
	}
	if s.time < time.Second || s.settle < 0 || s.patience <= 0 {
		return usagef("--time %v, --settle %v, --patience %v: want a second at least, 0 or more, more than 0", s.time, s.settle, s.patience)
	}
	return nil
}

// alone runs this program again in a network of its own.
func alone(ctx context.Context, stdout, stderr io.Writer) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, exe, append(os.Args[1:], "--within")...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := scale.Isolated(cmd); err != nil {
		return err
	}
	return cmd.Run()
}

func (s *scaling) run(ctx context.Context, out io.Writer) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if !s.json {
		fmt.Fprintf(out, scaleRow, "NODES", "JOINED", "CPU", "CROWD", "WIRE", "REPORTS", "NEIGHBOURS", "RSS", "ANON", "CROWD", "GOROUTINES", "NOT FOUND")
	}
	for _, n := range s.nodes {
		report, err := s.one(ctx, exe, n)
		if err != nil {
			return err
		}
		if err := s.print(out, report); err != nil {
			return err
		}
	}
	return nil
}

func (s *scaling) one(ctx context.Context, exe string, nodes int) (*scale.Report, error) {
	dir, err := os.MkdirTemp("", "p2pfaas-scale")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left there harms nobody
	return scale.Run(ctx, scale.Config{
		Program: cmp.Or(s.program, filepath.Join(filepath.Dir(exe), "p2pfaas-node")),
		Crowd: func(first, count int, bootstrap string) *exec.Cmd {
			return exec.Command(exe, "scale", "crowd", strconv.Itoa(first), strconv.Itoa(count), bootstrap)
		},
		Nodes: nodes, Settle: s.settle, Time: s.time, Patience: s.patience, Dir: dir,
	})
}

const scaleRow = "%-6s %8s %7s %7s %10s %8s %11s %8s %8s %8s %11s %10s\n"

func (s *scaling) print(out io.Writer, r *scale.Report) error {
	if s.json {
		return json.NewEncoder(out).Encode(r)
	}
	share := func(v float64) string { return fmt.Sprintf("%.2f %%", 100*v) }
	mb := func(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
	_, err := fmt.Fprintf(out, scaleRow, strconv.Itoa(r.Nodes), r.Joined.Round(10*time.Millisecond), share(r.CPU), share(r.CrowdCPU),
		fmt.Sprintf("%.1f kB/s", r.Wire/1000), fmt.Sprintf("%.1f/s", r.Reports), fmt.Sprintf("%d of %d", r.Neighbours, r.Members),
		mb(r.Resident), mb(r.Anonymous), mb(r.CrowdAnonymous), strconv.Itoa(r.Goroutines), r.NotFound.Round(time.Millisecond))
	return err
}

// newCrowd is how the command above starts its helpers.
func newCrowd() *cobra.Command {
	return &cobra.Command{
		Use:    "crowd FIRST COUNT BOOTSTRAP",
		Hidden: true,
		Args:   cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			first, err := strconv.Atoi(args[0])
			if err != nil {
				return usagef("number %q: %v", args[0], err)
			}
			count, err := strconv.Atoi(args[1])
			if err != nil || count < 1 {
				return usagef("count %q: want 1 or more", args[1])
			}
			if err := scale.GiveWay(); err != nil {
				return err
			}
			return scale.Work(cmd.Context(), first, count, args[2], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
