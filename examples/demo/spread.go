package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// The load: what one node could only serve half of, and three easily.
const (
	service  = 60 * time.Millisecond
	deadline = 400 * time.Millisecond
	rate     = 60 // requests per second; one node has 2 servers: 33 per second
	length   = 6 * time.Second
)

// clearly is how much larger the share answered in time must be with the mesh.
const clearly = 0.2

// spread enters the same load at A twice: once each node keeps to itself, once
// the mesh helps.
func spread(ctx context.Context, out io.Writer, m *mesh) error {
	fmt.Fprintf(out, "\nThe function work takes %v of a server. %d calls a second enter at A for %v, each to be answered within %v.\n", service, rate, length, deadline)
	for _, n := range m.nodes {
		if err := m.tool(ctx, n, "deploy", "work", "--image", "builtin:sleep", "--env", "duration="+service.String(), "--weight", "1", "--deadline", deadline.String()); err != nil {
			return err
		}
	}
	alone, err := m.measure(ctx, "local")
	if err != nil {
		return err
	}
	together, err := m.measure(ctx, "spread")
	if err != nil {
		return err
	}
	if err := table(out, m, alone, together); err != nil {
		return err
	}
	if together.onTime() < alone.onTime()+clearly {
		return fmt.Errorf("%.0f %% in time with the mesh, %.0f %% without: that is not clearly better", 100*together.onTime(), 100*alone.onTime())
	}
	return nil
}

// measure enters the load at A, with that policy in force on all nodes.
func (m *mesh) measure(ctx context.Context, policy string) (*result, error) {
	a := m.nodes[0]
	for _, n := range m.nodes {
		if err := m.tool(ctx, n, "policy", "set", policy); err != nil {
			return nil, err
		}
	}
	if err := m.eventually(ctx, func() error { return warm(ctx, a) }); err != nil {
		return nil, err
	}
	return enter(ctx, a, policy), nil
}

func table(out io.Writer, m *mesh, results ...*result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\n  policy\tcalls\tin time\tp50\tp95\t")
	for _, n := range m.nodes {
		fmt.Fprintf(w, "ran on %s\t", n.name)
	}
	fmt.Fprintln(w, "not answered\t")
	for _, r := range results {
		fmt.Fprintf(w, "  %s\t%d\t%.1f %%\t%v\t%v\t", r.policy, r.calls, 100*r.onTime(), r.quantile(.5), r.quantile(.95))
		for _, n := range m.nodes {
			fmt.Fprintf(w, "%d\t", r.ran[n.peer])
		}
		fmt.Fprintf(w, "%d\t\n", r.calls-len(r.took))
	}
	return w.Flush()
}
