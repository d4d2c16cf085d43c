package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// mesh is the nodes of one run.
type mesh struct {
	cfg     *Config
	name    string
	dir     string
	starter *starter
	places  places
	members []*member
}

// open starts the nodes and returns when all know each other. Close it in any
// case.
func (m *mesh) open(ctx context.Context) (err error) {
	m.name = "lab-" + strconv.FormatUint(rand.Uint64(), 36)
	m.starter = newStarter()
	if m.dir, err = os.MkdirTemp(m.cfg.Dir, "p2pfaas-lab-"); err != nil {
		return err
	}
	m.places = loopback{}
	if m.cfg.LAN {
		if m.places, err = newMachines(m.cfg.Scenario.Network); err != nil {
			m.places = nil
			return fmt.Errorf("make network: %w", err)
		}
	}
	if err := m.settle(); err != nil {
		return err
	}
	for _, n := range m.members {
		if err := m.start(ctx, n); err != nil {
			return err
		}
	}
	if err := m.deploy(ctx); err != nil {
		return err
	}
	return m.acquaint(ctx)
}

// settle makes the members without their processes.
func (m *mesh) settle() error {
	for i := range m.cfg.Scenario.Nodes {
		g := &m.cfg.Scenario.Nodes[i]
		for k := range g.Count {
			in, err := m.places.add(g.Zone)
			if err != nil {
				return fmt.Errorf("make machine: %w", err)
			}
			n, err := newMember(len(m.members), g, speedOf(g, k), in, m.dir)
			if err != nil {
				return err
			}
			m.members = append(m.members, n)
		}
	}
	m.places.join()
	return nil
}

func speedOf(g *sim.Group, k int) float64 {
	switch len(g.Speed) {
	case 0:
		return 1
	case 1:
		return g.Speed[0]
	}
	return g.Speed[k]
}

// start starts a member's process, which is told of all that run.
func (m *mesh) start(ctx context.Context, n *member) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	flags := n.flags(m.cfg, m.name)
	for _, other := range m.members {
		if p := other.alive(); p != nil {
			flags = append(flags, "--bootstrap", p.addr)
		}
	}
	p, err := launch(m.starter, n.place.Command(m.cfg.Program, flags...), n.data+".log")
	if err != nil {
		return fmt.Errorf("start node %d: %w", n.number, err)
	}
	n.become(p)
	return nil
}

func (m *mesh) deploy(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, n := range m.members {
		all.Go(func() error { return n.deploy(ctx, functionsOf(m.cfg.Scenario)) })
	}
	return all.Wait()
}

// acquaint waits until each node knows all others and their functions.
func (m *mesh) acquaint(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the nodes do not all know each other after %v", patience))
	defer cancel()
	all, ctx := errgroup.WithContext(ctx)
	for _, n := range m.members {
		all.Go(func() error { return m.await(ctx, n) })
	}
	return all.Wait()
}

func (m *mesh) await(ctx context.Context, n *member) error {
	for {
		lacks, err := m.lacks(ctx, n)
		if err == nil && lacks == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("node %d lacks %d of the others: %w", n.number, lacks, context.Cause(ctx)), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// listed is what /system/peers says of one.
type listed struct {
	Peer      string   `json:"peer"`
	Functions []string `json:"functions"`
	Candidate bool     `json:"candidate"`
}

// lacks is how many others a node would not send its invocations to.
func (m *mesh) lacks(ctx context.Context, n *member) (int, error) {
	text, err := n.ask(ctx, "GET", "/system/peers", nil)
	if err != nil {
		return len(m.members) - 1, err
	}
	var peers []listed
	if err := json.Unmarshal(text, &peers); err != nil {
		return len(m.members) - 1, err
	}
	lacks := len(m.members) - 1
	for _, p := range peers {
		if p.Candidate && !slices.ContainsFunc(functionsOf(m.cfg.Scenario), func(name string) bool { return !slices.Contains(p.Functions, name) }) {
			lacks--
		}
	}
	return lacks, nil
}

// Close ends all that was started and removes its files.
func (m *mesh) Close() error {
	var failed []error
	for _, n := range m.members {
		failed = append(failed, n.close())
	}
	if m.starter != nil {
		m.starter.Close()
	}
	if m.places != nil {
		failed = append(failed, m.places.Close())
	}
	if m.dir != "" {
		failed = append(failed, os.RemoveAll(m.dir))
	}
	return errors.Join(failed...)
}
