//go:build linux

package e2e

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest/lan"
)

var apart = flag.Duration("apart", 10*time.Second, "how long the halves of a mesh are apart")

// Each half has a node with the function and a caller at another node.
func TestPartitionAndHeal(t *testing.T) {
	f := newFleet(t)
	all := f.nodes(8, "--servers", "4")
	left, right := all[:4], all[4:]
	for _, half := range [][]*site{left, right} {
		half[0].deploy(repeatable)
		half[0].deploy(once)
	}
	f.within(3*time.Second, "all know where the function runs", time.Now(), all, func(s *site) error {
		return s.knowsFunction(once, []*site{left[0], right[0]})
	})
	traffics := []*traffic{f.traffic(2, at(left[1]), repeatable, once), f.traffic(2, at(right[1]), repeatable, once)}
	time.Sleep(time.Second) // of calls that run in both halves

	severed := time.Now()
	f.net.Partition(machinesOf(left), machinesOf(right))
	time.Sleep(*apart)
	refutes(t, left[1], right[0])
	f.net.Heal()
	healed := time.Now()
	for i, tr := range traffics {
		t.Run([]string{"left", "right"}[i], func(t *testing.T) {
			judge(t, tr.since(severed), severed, "apart")
			later := severed.Add(slack * noticed)
			answered(t, tr.since(later), severed, never) // who is not there is not asked
		})
	}
	f.within(5*time.Second, "all know all again", healed, all, func(s *site) error { return s.knows(all) })
	f.within(5*time.Second, "all would use either half", healed, all, func(s *site) error {
		return s.knowsFunction(once, []*site{left[0], right[0]})
	})
	for i, half := range [][]*site{left, right} {
		before := f.ledger.at(half[0].number)
		across := f.traffic(2, at([][]*site{right, left}[i][2]), repeatable)
		f.within(5*time.Second, "calls cross over", healed, half[:1], func(s *site) error { return f.ledger.has(before+5, s.number) })
		answered(t, across.stop(), healed, never)
	}
	for _, tr := range traffics {
		tr.stop()
	}
	f.ledger.onlyOnce(t)
}

func machinesOf(sites []*site) (machines []*lan.Machine) {
	for _, s := range sites {
		machines = append(machines, s.machine)
	}
	return machines
}

// refutes fails the test if one machine reaches the other.
func refutes(t *testing.T, from, to *site) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if c, err := from.machine.Dial(ctx, "tcp", fmt.Sprintf("%s:18081", to.machine.IP())); err == nil {
		c.Close()
		t.Error("the halves are not apart: this tests nothing")
	}
}
