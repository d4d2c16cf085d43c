package mesh

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
)

const (
	// keepTick is how often the keeper looks unless it is woken.
	keepTick = 250 * time.Millisecond
	// tasksAtOnce bounds the keeper's fetches and probes under way.
	tasksAtOnce = 8
	// reselectTime is how often the view is chosen anew.
	reselectTime = time.Minute
	// firstReports: a node that started so recently announces itself to each
	// member it meets.
	firstReports = 10 * time.Second
)

// member follows the host: somebody came or went.
func (m *Mesh) member(e host.Event) {
	if e.Member.Role != hello.Member || e.Peer == m.host.ID() {
		return
	}
	if !e.Joined {
		m.left(e.Peer)
		return
	}
	now := m.now()
	m.mu.Lock()
	n := m.table.join(e.Peer, e.Member, now)
	alone := len(m.table.members) == 1
	m.mu.Unlock()
	if n == nil {
		log.Warnw("too many members, one is left out", "peer", e.Peer, "most", maxMembers)
		return
	}
	log.Debugw("member joined", "peer", e.Peer, "zone", e.Member.Zone, "version", e.Member.Version)
	m.Hear(e.Peer, &e.News)
	if alone || now < firstReports {
		m.topic.Soon()
	}
	m.wakeKeeper()
}

func (m *Mesh) left(p peer.ID) {
	m.mu.Lock()
	if n := m.table.members[p]; n != nil {
		m.table.remember(&n.functions, m.now())
	}
	was := m.table.leave(p)
	m.mu.Unlock()
	if was {
		log.Debugw("member left", "peer", p)
		m.wakeKeeper() // its place in view is free
	}
}

func (m *Mesh) wakeKeeper() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// keeper keeps the table up to date: it asks for lists of functions that
// changed, measures distances, chooses the view, and has our own changes
// reported. It ends with its context, after all that it started.
type keeper struct {
	m        *Mesh
	tasks    chan struct{} // a place for each task under way
	measured time.Duration
	selected time.Duration
	draining bool
}

func (m *Mesh) keep(ctx context.Context) {
	k := &keeper{m: m, tasks: make(chan struct{}, tasksAtOnce)}
	tick := time.NewTicker(keepTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-m.wake:
		}
		k.look(ctx, m.now())
	}
}

func (k *keeper) look(ctx context.Context, now time.Duration) {
	k.own(now)
	k.reselect(now)
	limit := k.m.fresh()
	k.m.mu.Lock()
	defer k.m.mu.Unlock()
	for _, n := range k.m.table.members {
		n.heal(now)
		if n.fetchDue(now) && k.start(func() { k.m.fetch(ctx, n) }) {
			n.fetch.running = true
		}
		if n.probeDue(now, limit) && k.start(func() { k.m.measureRTT(ctx, n) }) {
			n.probe.running, n.probe.tell = true, false
		}
	}
}

// start runs a task unless too many are under way; it is then tried again.
func (k *keeper) start(task func()) bool {
	select {
	case k.tasks <- struct{}{}:
	default:
		return false
	}
	k.m.work.Add(1)
	go func() {
		defer k.m.work.Done()
		task()
		<-k.tasks
		k.m.wakeKeeper()
	}()
	return true
}

// own reports changes of this node's that nobody told us of: functions going
// cold or warm, draining.
func (k *keeper) own(now time.Duration) {
	if now-k.measured < time.Second {
		return
	}
	k.measured = now
	k.m.measure(now)
	before, drained := k.m.ownDigest.Load(), k.draining
	k.draining = k.m.cfg.Draining()
	own := k.m.own()
	if own.digest != before {
		k.m.advertise(own)
	}
	if own.digest != before || k.draining != drained {
		k.m.topic.Soon()
	}
}

// reselect gives free places at once, and moves neighbours once a minute.
func (k *keeper) reselect(now time.Duration) {
	if k.m.everyoneFits() {
		return
	}
	own := k.m.runs()
	k.m.mu.Lock()
	free := len(k.m.table.view) < min(k.m.table.max, len(k.m.table.members))
	crowded := len(k.m.table.members) > k.m.table.max
	changed := 0
	if free || (crowded && now-k.selected >= reselectTime) {
		swap := now-k.selected >= reselectTime
		if swap {
			k.selected = now
		}
		changed = k.m.table.reselect(own, swap, now)
	}
	k.m.mu.Unlock()
	if changed > 0 {
		log.Infow("neighbours replaced by other members", "count", changed)
	}
}

// everyoneFits tells whether all members are neighbours.
func (m *Mesh) everyoneFits() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.table.view) == len(m.table.members)
}

// runs is the set of functions that this node runs.
func (m *Mesh) runs() map[string]bool {
	own := make(map[string]bool)
	for _, f := range m.cfg.Functions() {
		own[f.id()] = true
	}
	return own
}
