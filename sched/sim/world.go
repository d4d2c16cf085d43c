package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// world is one simulation under way.
type world struct {
	sc       *Scenario
	opt      Options
	registry sched.Registry
	isPool   bool
	seed     uint64
	end      time.Duration // of arrivals
	now      time.Duration
	agenda   agenda
	events   uint64
	nodes    []node
	classes  []Class
	laws     []law // of the classes
	flows    []flow
	legs     legs
	mail     mail
	board    board
	view     sched.View
	blind    bool // the policy has no use for reports
	tally    tally
	// open are the counted invocations that have not ended.
	open int
}

// ID is the peer ID of the node of that number, counted from 0. It is the
// identity multihash of five digits, so that its text can be read back, and IDs
// are in the order of the numbers.
func ID(node int) peer.ID { return peer.ID(fmt.Sprintf("\x00\x05%05d", node)) }

// Node is the number of the node of that peer ID.
func Node(id peer.ID) int { return int(number(id)) }

func number(id peer.ID) int32 {
	var n int32
	for i := 2; i < len(id); i++ {
		n = 10*n + int32(id[i]-'0')
	}
	return n
}

// stream is a source of chance of its own for each purpose, node and class.
func (w *world) stream(purpose, node, class int) *rand.Rand {
	return rand.New(rand.NewPCG(w.seed, uint64(purpose)<<48|uint64(class)<<32|uint64(node)))
}

// purposes of streams.
const (
	forArrivals = iota + 1
	forViews
	forPolicy
	forGossip
	forBursts
	forRates
)

func newWorld(sc *Scenario, opt Options) (*world, error) {
	w := &world{sc: sc, opt: opt, seed: opt.Seed, end: sc.Duration, classes: sc.Classes}
	if opt.New == nil {
		w.isPool = opt.Policy == boundPooled
		w.blind = w.isPool || opt.Policy == boundPerfect
	}
	w.place()
	if w.isPool {
		if err := w.pool(); err != nil {
			return nil, err
		}
	}
	if err := w.appoint(); err != nil {
		return nil, err
	}
	w.acquaint()
	w.pour()
	w.schedule()
	w.tally.init(w)
	return w, nil
}

// place sets the classes and the nodes up, without policies and views.
func (w *world) place() {
	for i := range w.classes {
		w.laws = append(w.laws, w.classes[i].law())
	}
	for g := range w.sc.Nodes {
		group := &w.sc.Nodes[g]
		for i := range group.Count {
			n := node{number: int32(len(w.nodes)), id: ID(len(w.nodes)), servers: group.Servers, room: group.Queue,
				zone: group.Zone, speed: pick(group.Speed, i, 1), sinkhole: group.Sinkhole, arch: group.Arch}
			n.rate = pick(group.Rate, i, 0) * w.factor(group, len(w.nodes))
			n.rand = w.stream(forPolicy, len(w.nodes), 0)
			w.nodes = append(w.nodes, n)
		}
	}
}

func pick(list []float64, i int, without float64) float64 {
	switch len(list) {
	case 0:
		return without
	case 1:
		return list[0]
	}
	return list[i]
}

// appoint gives each node its policy.
func (w *world) appoint() error {
	for i := range w.nodes {
		if err := w.equip(&w.nodes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) equip(n *node) error {
	policy, err := w.policy(int(n.number))
	if err != nil {
		return err
	}
	n.adopt(policy, w)
	return nil
}

// acquaint chooses who has whom in view.
func (w *world) acquaint() {
	count := len(w.nodes)
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.view = everyone(count, i); w.sc.View < count-1 {
			n.view = some(w.sc.View, count, i, w.stream(forViews, i, 0))
		}
		for _, other := range n.view {
			w.nodes[other].seenBy = append(w.nodes[other].seenBy, n.number)
		}
		n.meet(w)
	}
}

func everyone(count, but int) []int32 {
	list := make([]int32, 0, count)
	for j := range count {
		if j != but {
			list = append(list, int32(j))
		}
	}
	return list
}

// some draws so many different nodes, in order.
func some(most, count, but int, rnd *rand.Rand) []int32 {
	drawn := make(map[int32]bool, most)
	for len(drawn) < most {
		if j := int32(rnd.IntN(count)); int(j) != but {
			drawn[j] = true
		}
	}
	list := make([]int32, 0, most)
	for j := range count {
		if drawn[int32(j)] {
			list = append(list, int32(j))
		}
	}
	return list
}

// schedule enters what is known to come.
func (w *world) schedule() {
	w.expectArrivals()
	for i := range w.nodes {
		if w.sc.Gossip > 0 && !w.blind && len(w.nodes) > 1 {
			phase := time.Duration(w.stream(forGossip, i, 0).Float64() * float64(w.sc.Gossip))
			w.agenda.add(event{at: phase, kind: gossipTick, node: int32(i)})
		}
		w.startIdling(&w.nodes[i])
	}
	for i := range w.sc.Events {
		w.agenda.add(event{at: w.sc.Events[i].At, kind: fault, arg: int32(i)})
	}
	if w.opt.Sample > 0 {
		w.agenda.add(event{at: w.opt.Sample, kind: sampling})
	}
}

func (w *world) expectArrivals() {
	for i := range w.flows {
		w.agenda.add(event{at: w.flows[i].next, kind: arrival, arg: int32(i)})
	}
}

func (w *world) startIdling(n *node) {
	if n.puller != nil {
		w.agenda.add(event{at: w.now, kind: idleTick, node: n.number, birth: n.idleBirth})
	}
}

// delay is how long a message takes from one node to another.
func (w *world) delay(from, to *node) time.Duration {
	if w.sc.Network.ZoneDelay > 0 && from.zone != to.zone {
		return w.sc.Network.ZoneDelay
	}
	return w.sc.Network.Delay
}

// grace is after how long a node gives up on one that does not answer.
func (w *world) grace(from, to *node) time.Duration {
	return max(50*time.Millisecond, 8*w.delay(from, to))
}

// careful is how long it takes to notice that one has died that answered before.
const careful = time.Second

// run is the loop: until everything counted has ended.
func (w *world) run(ctx context.Context) error {
	limit := w.end + patience
	for len(w.agenda.events) > 0 {
		e := w.agenda.next()
		if e.at > limit || e.at >= w.end && w.open == 0 {
			break
		}
		w.now = e.at
		w.handle(&e)
		if w.events++; w.events%rarely == 0 {
			if err := w.lookUp(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// rarely is how many events pass between looks at the context.
const rarely = 1 << 16

func (w *world) lookUp(ctx context.Context) error {
	if w.opt.Progress != nil {
		w.opt.Progress(w.now)
	}
	return context.Cause(ctx)
}

// patience is how long after the last arrival answers are waited for.
const patience = 5 * time.Minute

func (w *world) handle(e *event) {
	switch e.kind {
	case arrival:
		w.arrive(e.arg)
	case delivery:
		w.deliver(e.arg)
	case completion:
		w.complete(e.arg, e.birth)
	case expiry:
		w.expiryDue(&w.nodes[e.node])
	case gossipTick:
		w.gossip(&w.nodes[e.node])
	case gossipDelivery:
		w.spreadNews(e.arg)
	case idleTick:
		w.idleDue(&w.nodes[e.node], e.birth)
	case wakeUp:
		w.wake(e.arg, e.birth)
	case silence:
		w.silent(e.arg, e.birth, e.node)
	case probeSilence:
		w.probesSilent(e.arg, e.birth, e.node)
	case fault:
		w.befall(&w.sc.Events[e.arg])
	case sampling:
		w.sample()
	case overdue:
		w.cut(e.arg, e.birth)
	}
}
