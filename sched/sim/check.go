package sim

import (
	"errors"
	"fmt"
	"time"
)

// ErrScenario: a scenario cannot be simulated as it is.
var ErrScenario = errors.New("bad scenario")

const (
	mostNodes   = 10_000
	mostServers = 4096
	mostQueue   = 1 << 20
)

// Check says what is wrong with a scenario, nil for nothing. The error tells the
// field as package scenario's files call it.
func (sc *Scenario) Check() error {
	switch {
	case sc.Duration <= 0:
		return wrong("duration", "is %v: it must be above 0", sc.Duration)
	case sc.Warmup < 0 || sc.Warmup >= sc.Duration:
		return wrong("warmup", "is %v: it must be from 0 to less than the duration of %v", sc.Warmup, sc.Duration)
	case sc.Gossip < 0 || sc.Gossip > 0 && sc.Gossip < time.Millisecond:
		return wrong("gossip", "is %v: it must be at least 1ms, or 0 for never", sc.Gossip)
	case sc.View < 0:
		return wrong("view", "is %d: it must not be below 0", sc.View)
	case sc.Network.Delay < 0 || sc.Network.Delay > time.Minute:
		return wrong("network.delay", "is %v: it must be from 0 to 1m", sc.Network.Delay)
	case sc.Network.ZoneDelay < 0 || sc.Network.ZoneDelay > time.Minute:
		return wrong("network.zone_delay", "is %v: it must be from 0 to 1m", sc.Network.ZoneDelay)
	}
	for _, check := range []func() error{sc.checkNodes, sc.checkClasses, sc.checkLoad, sc.checkEvents} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Text: fmt.Sprintf(format, args...)}
}

// FieldError tells which field of a scenario is wrong, as "nodes[1].speed".
type FieldError struct{ Field, Text string }

func (e *FieldError) Error() string { return fmt.Sprintf("%v: %s %s", ErrScenario, e.Field, e.Text) }

func (e *FieldError) Unwrap() error { return ErrScenario }

func (sc *Scenario) count() (nodes int) {
	for i := range sc.Nodes {
		nodes += sc.Nodes[i].Count
	}
	return nodes
}

func (sc *Scenario) checkNodes() error {
	if len(sc.Nodes) == 0 {
		return wrong("nodes", "has no group: there must be at least one")
	}
	for i := range sc.Nodes {
		if err := sc.Nodes[i].check(fmt.Sprintf("nodes[%d]", i)); err != nil {
			return err
		}
	}
	if n := sc.count(); n > mostNodes {
		return wrong("nodes", "are %d in all: the most are %d", n, mostNodes)
	}
	return nil
}

func (g *Group) check(at string) error {
	switch {
	case g.Count < 1 || g.Count > mostNodes:
		return wrong(at+".count", "is %d: it must be from 1 to %d", g.Count, mostNodes)
	case g.Servers < 1 || g.Servers > mostServers:
		return wrong(at+".servers", "is %d: it must be from 1 to %d", g.Servers, mostServers)
	case g.Queue < 0 || g.Queue > mostQueue:
		return wrong(at+".queue", "is %d: it must be from 0 to %d", g.Queue, mostQueue)
	case g.RateSigma < 0 || g.RateSigma > 5:
		return wrong(at+".rate_sigma", "is %v: it must be from 0 to 5", g.RateSigma)
	}
	if err := g.checkList(at+".speed", g.Speed, 1e-3, 1e3); err != nil {
		return err
	}
	return g.checkList(at+".rate", g.Rate, 0, 1e6)
}

func (g *Group) checkList(at string, list []float64, low, high float64) error {
	if len(list) > 1 && len(list) != g.Count {
		return wrong(at, "has %d values for %d nodes: it must have one, or one for each", len(list), g.Count)
	}
	for _, x := range list {
		if !(x >= low && x <= high) {
			return wrong(at, "has %v: it must be from %v to %v", x, low, high)
		}
	}
	return nil
}

func (sc *Scenario) checkClasses() error {
	if len(sc.Classes) == 0 {
		return wrong("classes", "has no class: there must be at least one")
	}
	for i := range sc.Classes {
		if err := sc.Classes[i].check(fmt.Sprintf("classes[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Class) check(at string) error {
	switch {
	case !(c.Share > 0 && c.Share <= 1e6):
		return wrong(at+".share", "is %v: it must be above 0", c.Share)
	case c.Service < time.Microsecond || c.Service > time.Hour:
		return wrong(at+".service", "is %v: it must be from 1µs to 1h", c.Service)
	case c.Deadline < 0:
		return wrong(at+".deadline", "is %v: it must be above 0, or left out", c.Deadline)
	case c.Distribution == Lognormal && !(c.Sigma > 0 && c.Sigma <= 5):
		return wrong(at+".sigma", "is %v: a lognormal class needs one above 0, up to 5", c.Sigma)
	case c.Distribution != Lognormal && c.Sigma != 0:
		return wrong(at+".sigma", "is %v: only a lognormal class has one", c.Sigma)
	case !(c.BodySigma >= 0 && c.BodySigma <= 5):
		return wrong(at+".body_sigma", "is %v: it must be from 0 to 5", c.BodySigma)
	case !(c.Sized >= 0 && c.Sized <= 1):
		return wrong(at+".sized", "is %v: it must be from 0 to 1", c.Sized)
	}
	for arch, factor := range c.Slower {
		if !(factor > 0 && factor <= 1e3) {
			return wrong(at+".slower."+arch, "is %v: it must be above 0, up to 1000", factor)
		}
	}
	return nil
}

func (sc *Scenario) checkLoad() error {
	if u := sc.Load.Utilisation; !(u >= 0 && u <= 100) {
		return wrong("load.utilisation", "is %v: it must be from 0 to 100", u)
	}
	if b := sc.Load.Burst; b != nil {
		if b.Period < time.Millisecond || !(b.On >= 0 && b.On <= 1) || !(b.High >= 0 && b.Low >= 0) || b.mean() <= 0 {
			return wrong("load.burst", "needs a period of at least 1ms, on from 0 to 1, high and low not below 0 and not all 0")
		}
	}
	if t := sc.Load.Trace; t != nil {
		return t.check(sc.count())
	}
	return nil
}

func (t *Trace) check(nodes int) error {
	if len(t.At) == 0 || len(t.At) != len(t.Rows) || t.At[0] != 0 {
		return wrong("load.trace", "needs rows, the first at time 0")
	}
	for i, row := range t.Rows {
		if i > 0 && t.At[i] <= t.At[i-1] {
			return wrong("load.trace", "goes back in time at row %d", i+1)
		}
		if len(row) != 1 && len(row) != nodes {
			return wrong("load.trace", "has %d factors in row %d: it must have one, or one for each of the %d nodes", len(row), i+1, nodes)
		}
		for _, x := range row {
			if !(x >= 0 && x <= 1e6) {
				return wrong("load.trace", "has %v in row %d: a factor must not be below 0", x, i+1)
			}
		}
	}
	return nil
}

func (sc *Scenario) checkEvents() error {
	for i := range sc.Events {
		at, e := fmt.Sprintf("events[%d]", i), &sc.Events[i]
		kinds := 0
		for _, is := range []bool{e.Kill, e.Restart, e.Speed != 0, e.Stall != 0} {
			if is {
				kinds++
			}
		}
		if e.At < 0 || e.At > sc.Duration {
			return wrong(at+".at", "is %v: it must be from 0 to the duration of %v", e.At, sc.Duration)
		}
		if kinds != 1 {
			return wrong(at, "says %d things to do: it must be one of kill, restart, speed and stall", kinds)
		}
		if e.Speed < 0 || e.Speed > 1e3 {
			return wrong(at+".speed", "is %v: it must be above 0, up to 1000", e.Speed)
		}
		if e.Stall < 0 || e.Stall > time.Hour {
			return wrong(at+".stall", "is %v: it must be above 0, up to 1h", e.Stall)
		}
		if !(e.Stalls >= 0 && e.Stalls <= 1) {
			return wrong(at+".stalls", "is %v: it must be from 0 to 1", e.Stalls)
		}
		if len(e.Nodes) == 0 {
			return wrong(at+".nodes", "is empty: it must name at least one node")
		}
		for _, n := range e.Nodes {
			if n < 0 || n >= sc.count() {
				return wrong(at+".nodes", "has %d: the nodes are 0 to %d", n, sc.count()-1)
			}
		}
	}
	return nil
}
