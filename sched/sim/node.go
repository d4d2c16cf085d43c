package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// node is one simulated node.
type node struct {
	number   int32
	id       peer.ID
	zone     string
	servers  int
	room     int // places to wait
	speed    float64
	rate     float64 // arrivals per second, before scaling
	sinkhole bool
	arch     string
	unaware  bool // of its speed
	stall    time.Duration
	stalls   float64 // share of calls that stall
	dead     bool

	policy   sched.Policy
	observer sched.Observer
	puller   sched.Puller
	notified sched.Notified
	dequeuer sched.Dequeuer
	rand     *rand.Rand

	view   []int32 // numbers of the neighbours, ascending, in the table's order
	seenBy []int32
	table  sched.Table

	queue    *sched.Queue[int32] // of legs
	busy     *sched.Busy
	running  []int32 // legs
	rel      float64 // measured: service times over nominal ones
	services []service
	mix      sched.Mix
	arrivals rate
	forwards rate
	expiring time.Duration // when the next expiry is on the agenda, 0 for none

	inbound   int32 // forwards under way to here
	asking    bool  // for work
	askSeq    uint32
	idleBirth uint32
}

// adopt gives a node its policy, and an empty queue.
func (n *node) adopt(p sched.Policy, w *world) {
	n.policy = p
	n.observer, _ = p.(sched.Observer)
	n.puller, _ = p.(sched.Puller)
	n.notified, _ = p.(sched.Notified)
	n.dequeuer, _ = p.(sched.Dequeuer)
	n.queue = sched.NewQueue[int32](w.queueConfig(n))
	n.busy = sched.NewBusy()
	n.running = n.running[:0]
	n.rel = 1 / n.speed
	n.services = make([]service, len(w.classes))
	for c := range n.services {
		n.services[c].law = &w.laws[c]
	}
	n.mix = sched.Mix{}
	n.arrivals, n.forwards = rate{}, rate{}
	n.expiring, n.asking = 0, false
}

func (w *world) queueConfig(n *node) sched.QueueConfig {
	cfg := sched.QueueConfig{MaxCount: n.room, Exact: true, Servers: n.servers}
	orderer, orders := n.policy.(sched.Orderer)
	if orders {
		cfg.Order = orderer.Order()
	}
	if w.opt.Order != nil {
		cfg.Order = *w.opt.Order
	}
	if b, is := n.policy.(expirer); is {
		orders = b.expires()
	}
	expiry := w.sc.Expiry
	if w.opt.Expiry != nil {
		expiry = *w.opt.Expiry
	}
	cfg.KeepLate = expiry == ExpiryOff || expiry == ExpiryByPolicy && !orders
	return cfg
}

// meet enters the view into the table. As the mesh has just come together, all
// are known to be idle.
func (n *node) meet(w *world) {
	n.forget(w)
	for place, j := range n.view {
		other := &w.nodes[j]
		n.table.Hear(place, &sched.Load{Servers: other.servers, Speed: 1 / other.speed}, w.now)
	}
}

// place is where another node is in this one's table, -1 if nowhere.
func (n *node) place(other int32) int {
	if len(n.view) > int(other) && n.view[other] == other {
		return int(other) // all are in view, and this one comes later
	}
	lo, hi := 0, len(n.view)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if n.view[mid] < other {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(n.view) && n.view[lo] == other {
		return lo
	}
	return -1
}

func (n *node) free() bool { return len(n.running) < n.servers && n.queue.Len() == 0 }

// residual is until the first server falls free, 0 with a free one.
func (n *node) residual(now time.Duration) time.Duration {
	if n.free() {
		return 0
	}
	return n.busy.Residual(now)
}

// load is the node's own account of itself.
func (n *node) load(now time.Duration) sched.Load {
	l := sched.Load{Servers: n.servers, Speed: n.rel, Rate: n.arrivals.get(now), Out: n.forwards.get(now)}
	if n.sinkhole {
		return l
	}
	l.Running, l.Queued = len(n.running), n.queue.Len()
	if !n.free() {
		l.Wait = n.busy.Residual(now) + n.queue.ExpectedWait()
	}
	return l
}

// rate counts events per second, forgetting exponentially.
type rate struct {
	value float64
	last  time.Duration
}

// rateMemory is the time after which an event counts for 1/e.
const rateMemory = 5 * time.Second

func (r *rate) tick(now time.Duration) {
	r.value = r.get(now) + 1/rateMemory.Seconds()
	r.last = now
}

func (r *rate) get(now time.Duration) float64 {
	return r.value * math.Exp(-float64(now-r.last)/float64(rateMemory))
}

// forget empties the table: of no neighbour anything is known.
func (n *node) forget(w *world) {
	n.table = sched.Table{}
	for _, j := range n.view {
		other := &w.nodes[j]
		n.table.Join(sched.Neighbour{ID: other.id, Zone: other.zone, RTT: 2 * w.delay(n, other), Warm: true})
	}
}
