package scale

import (
	"context"
	"errors"
	"time"
)

// state is all that is counted, at one moment.
type state struct {
	at          time.Time
	node, crowd time.Duration // of processor
	wire        int64
	reports     float64
}

func (r *run) state() (s state, err error) {
	// First, as it makes the node work.
	if s.reports, err = r.node.metric("p2pfaas_reports_heard_total"); err != nil {
		return s, err
	}
	s.at = time.Now()
	if s.node, err = used(r.node.cmd.Process.Pid); err != nil {
		return s, err
	}
	for _, c := range r.crowds {
		cpu, err := used(c.cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		s.crowd += cpu
	}
	s.wire, err = loopback()
	return s, err
}

// measure lets the nodes alone for a while, twice.
func (r *run) measure(ctx context.Context, joined time.Duration) (*Report, error) {
	if err := sleep(ctx, r.cfg.Settle); err != nil {
		return nil, err
	}
	before, err := r.state()
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, r.cfg.Time); err != nil {
		return nil, err
	}
	after, err := r.state()
	if err != nil {
		return nil, err
	}
	report := &Report{Nodes: r.cfg.Nodes, Joined: joined}
	report.rates(&before, &after)
	return report, r.sizes(report)
}

func (p *Report) rates(before, after *state) {
	seconds := after.at.Sub(before.at).Seconds()
	extras := float64(p.Nodes - 1)
	p.CPU = (after.node - before.node).Seconds() / seconds
	p.CrowdCPU = (after.crowd - before.crowd).Seconds() / seconds / extras
	// What one sends another receives, and the loopback counts it once.
	p.Wire = 2 * float64(after.wire-before.wire) / seconds / float64(p.Nodes)
	p.Reports = (after.reports - before.reports) / seconds
}

func (r *run) sizes(p *Report) (err error) {
	if p.Resident, p.Anonymous, err = resident(r.node.cmd.Process.Pid); err != nil {
		return err
	}
	for _, c := range r.crowds {
		_, anonymous, err := resident(c.cmd.Process.Pid)
		if err != nil {
			return err
		}
		p.CrowdAnonymous += anonymous / int64(p.Nodes-1)
	}
	var errs []error
	for name, value := range map[string]*int{"p2pfaas_members": &p.Members, "p2pfaas_neighbours": &p.Neighbours, "go_goroutines": &p.Goroutines} {
		v, err := r.node.metric(name)
		*value = int(v)
		errs = append(errs, err)
	}
	p.NotFound, err = r.node.notFound()
	return errors.Join(append(errs, err)...)
}
