package live

import (
	"errors"
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// Config says what to run.
type Config struct {
	// Program is the path of p2pfaas-node.
	Program  string
	Scenario *sim.Scenario
	Policy   string
	Set      map[string]string
	// Model is what each node's policy begins with, nil for nothing.
	Model []byte
	// Seed of the arrivals; 0 is the scenario's.
	Seed uint64
	// LAN puts each node on a machine of its own; see package lan for what it takes.
	LAN bool
	// Sample is the time between samples of the mesh's state, 0 for none.
	Sample time.Duration
	// Dir is where a folder for the nodes' files is made, which is gone at the end;
	// "" is the system's for temporary files.
	Dir string
	// MaxUnderWay bounds the invocations that have no answer yet; beyond it they
	// are not sent, and counted as Report.Unsent. Default 10 000, about 40 KB of
	// memory each.
	MaxUnderWay int
}

// Report is what came of it.
type Report struct {
	sim.Result
	// Late is the share of requests sent later than 10 ms after their time, Latest
	// by how much at most. Unsent is the share that was not sent at all.
	Late   float64
	Latest time.Duration
	Unsent float64
	// CPU is how many cores the nodes' processes took.
	CPU float64
}

// ErrScenario: the scenario cannot be run on real nodes.
var ErrScenario = errors.New("cannot be run live")

const (
	// mostNodes is how many a node knows at most.
	mostNodes = 64
	// leastGossip and mostGossip are what nodes accept.
	leastGossip = 100 * time.Millisecond
	mostGossip  = time.Minute

	usualUnderWay = 10_000
)

// Check says what of a scenario real nodes cannot do.
func Check(sc *sim.Scenario) error {
	nodes := 0
	for _, g := range sc.Nodes {
		nodes += g.Count
		if g.Sinkhole {
			return fmt.Errorf("%s %w: real nodes are no sinkholes", sc.Name, ErrScenario)
		}
	}
	if err := checkWork(sc); err != nil {
		return err
	}
	switch {
	case nodes > mostNodes:
		return fmt.Errorf("%s %w: it has %d nodes, %d are the most", sc.Name, ErrScenario, nodes, mostNodes)
	case sc.View < nodes-1:
		return fmt.Errorf("%s %w: view is %d, but real nodes get to know all %d others", sc.Name, ErrScenario, sc.View, nodes-1)
	case sc.Gossip < leastGossip || sc.Gossip > mostGossip:
		return fmt.Errorf("%s %w: gossip is %v, nodes take %v to %v", sc.Name, ErrScenario, sc.Gossip, leastGossip, mostGossip)
	case sc.Plain:
		return fmt.Errorf("%s %w: piggyback is off, but real nodes always tell their load", sc.Name, ErrScenario)
	case sc.Expiry == sim.ExpiryOff:
		return fmt.Errorf("%s %w: expiry is off, but real nodes always drop what cannot be in time", sc.Name, ErrScenario)
	}
	return nil
}

// checkWork does so for what is run.
func checkWork(sc *sim.Scenario) error {
	for i := range sc.Classes {
		switch c := &sc.Classes[i]; {
		case len(c.Slower) > 0:
			return fmt.Errorf("%s %w: classes[%d].slower is set, but there are no architectures here: use speed", sc.Name, ErrScenario, i)
		case c.BodySigma > 0:
			return fmt.Errorf("%s %w: classes[%d].body_sigma is set, but bodies of a class are of one size here: use several classes", sc.Name, ErrScenario, i)
		}
	}
	for i := range sc.Events {
		if sc.Events[i].Unnoticed {
			return fmt.Errorf("%s %w: events[%d] is unnoticed, but real nodes notice what they measure: use stall", sc.Name, ErrScenario, i)
		}
	}
	return nil
}
