package sim

import "time"

// event is something that happens at a moment. What node, arg and birth mean
// depends on the kind; birth tells a reused arg from the one that was meant.
type event struct {
	at    time.Duration
	order uint64 // of what happens at the same time
	birth uint32
	node  int32
	arg   int32
	kind  eventKind
}

type eventKind uint8

const (
	arrival        eventKind = iota // arg: process
	delivery                        // arg: message
	completion                      // arg: leg
	expiry                          // of what waits on node
	gossipTick                      // of node
	gossipDelivery                  // arg: bulletin
	idleTick                        // of node
	wakeUp                          // arg: leg, after sched.Wait
	silence                         // arg: leg, whose next hop does not answer
	probeSilence                    // arg: leg, whose probes are not all answered
	fault                           // arg: scenario event
	sampling                        // of the whole
	overdue                         // arg: leg, whose deadline has come
)

// agenda is what is going to happen: a heap with four children a node, which is
// half as deep as one with two.
type agenda struct {
	events []event
	orders uint64
}

func (a *event) before(b *event) bool { return a.at < b.at || a.at == b.at && a.order < b.order }

func (a *agenda) add(e event) {
	a.orders++
	e.order = a.orders
	a.events = append(a.events, e)
	i := len(a.events) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&a.events[parent]) {
			break
		}
		a.events[i] = a.events[parent]
		i = parent
	}
	a.events[i] = e
}

// next takes out the earliest. There must be one.
func (a *agenda) next() event {
	first := a.events[0]
	last := len(a.events) - 1
	e := a.events[last]
	a.events = a.events[:last]
	if last > 0 {
		a.sink(e)
	}
	return first
}

func (a *agenda) sink(e event) {
	i := 0
	for {
		child := 4*i + 1
		if child >= len(a.events) {
			break
		}
		best := child
		for c := child + 1; c < min(child+4, len(a.events)); c++ {
			if a.events[c].before(&a.events[best]) {
				best = c
			}
		}
		if !a.events[best].before(&e) {
			break
		}
		a.events[i] = a.events[best]
		i = best
	}
	a.events[i] = e
}
