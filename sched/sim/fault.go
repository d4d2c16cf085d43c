package sim

import (
	"slices"
	"time"
)

// befall has something happen to nodes.
func (w *world) befall(e *Event) {
	for _, i := range e.Nodes {
		n := &w.nodes[i]
		switch {
		case e.Kill:
			w.kill(n)
		case e.Restart:
			w.restart(n)
		}
		if e.Speed > 0 {
			w.setSpeed(n, e.Speed, e.Announced, e.Unnoticed)
		}
		if e.Stall > 0 {
			n.stall, n.stalls = e.Stall, e.Stalls
		}
	}
}

// setSpeed slows a node down, or quickens it; what runs keeps what it has done.
func (w *world) setSpeed(n *node, speed float64, announced, unnoticed bool) {
	for _, i := range n.running {
		g := w.legs.at(i)
		left := g.started + g.service - w.now
		g.service += time.Duration(float64(left)*n.speed/speed) - left
		w.agenda.add(event{at: g.started + g.service, kind: completion, arg: i, birth: g.birth})
	}
	n.speed = speed
	n.unaware = unnoticed
	if announced {
		n.rel = 1 / speed
	}
}

// kill ends a node with all that is in its care. The clients of what entered
// there notice at once, other nodes after a while.
func (w *world) kill(n *node) {
	if n.dead {
		return
	}
	n.dead = true
	n.asking, n.expiring = false, 0
	n.idleBirth++
	for _, i := range slices.Clone(n.running) {
		w.leave(n, i)
	}
	for i := range w.legs.list {
		if g := &w.legs.list[i]; g.birth != 0 && g.node == n.number {
			w.lose(int32(i))
		}
	}
}

func (w *world) lose(i int32) {
	g := w.legs.at(i)
	if g.prev == none {
		w.settle(i, lost)
		return
	}
	w.agenda.add(event{at: w.now + careful, kind: silence, node: g.node, arg: g.prev, birth: g.prevBirth})
	w.legs.release(i)
}

// restart has a dead node come back, knowing nothing.
func (w *world) restart(n *node) {
	if !n.dead {
		return
	}
	n.dead = false
	if err := w.equip(n); err != nil {
		panic(err) // it could be made at the start
	}
	n.forget(w)
	w.publish(n)
	w.startIdling(n)
}
