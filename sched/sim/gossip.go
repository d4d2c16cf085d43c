package sim

import (
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// bulletin is a node's own report on its way to those that have it in view and
// are equally far.
type bulletin struct {
	of      int32
	load    sched.Load
	sampled time.Duration
	way     time.Duration
}

// board is the memory of all bulletins.
type board struct {
	list   []bulletin
	unused []int32
}

func (b *board) claim() int32 {
	if n := len(b.unused); n > 0 {
		i := b.unused[n-1]
		b.unused = b.unused[:n-1]
		return i
	}
	b.list = append(b.list, bulletin{})
	return int32(len(b.list) - 1)
}

// gossip is a node's regular telling, and sets the next one.
func (w *world) gossip(n *node) {
	w.agenda.add(event{at: w.now + w.sc.Gossip, kind: gossipTick, node: n.number})
	if !n.dead {
		w.publish(n)
	}
}

// publish tells a node's load to all that have it in view.
func (w *world) publish(n *node) {
	w.bulletin(n, w.sc.Network.Delay)
	if zone := w.sc.Network.ZoneDelay; zone > 0 && zone != w.sc.Network.Delay {
		w.bulletin(n, zone)
	}
	w.tally.gossip(w, len(n.seenBy))
}

func (w *world) bulletin(n *node, way time.Duration) {
	i := w.board.claim()
	w.board.list[i] = bulletin{of: n.number, load: n.load(w.now), sampled: w.now, way: way}
	w.agenda.add(event{at: w.now + way, kind: gossipDelivery, arg: i})
}

// spreadNews has a bulletin arrive at all that are that far.
func (w *world) spreadNews(i int32) {
	b := &w.board.list[i]
	of := &w.nodes[b.of]
	for _, j := range of.seenBy {
		if to := &w.nodes[j]; !to.dead && w.delay(of, to) == b.way {
			w.tell(to, b.of, &b.load, b.sampled, sched.ViaGossip)
		}
	}
	w.board.unused = append(w.board.unused, i)
}
