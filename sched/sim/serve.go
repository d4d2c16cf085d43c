package sim

import (
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// acquire starts a leg's service at once, or has it wait.
func (w *world) acquire(i int32) {
	g := w.legs.at(i)
	n := &w.nodes[g.node]
	switch {
	case n.sinkhole:
		w.again(i)
	case n.free():
		w.start(i)
	default:
		handle, err := n.queue.Push(i, w.entry(n, g))
		if err != nil {
			w.again(i)
			return
		}
		g.state, g.handle = waiting, handle
		w.watchExpiry(n)
	}
}

func (w *world) entry(n *node, g *leg) sched.Entry {
	s := n.services[g.class].get(n.rel)
	return sched.Entry{Arrived: w.now, Deadline: g.deadline, Wait: n.residual(w.now) + n.queue.ExpectedWait(),
		Mean: s.Mean, Fast: s.P10, Spread: s.Spread}
}

// start gives a leg a server; one must be free.
func (w *world) start(i int32) {
	g := w.legs.at(i)
	n := &w.nodes[g.node]
	g.state, g.started = running, w.now
	g.executor = g.node
	g.waited = w.now - g.received
	g.service = time.Duration(g.demand / n.speed)
	if slower, ok := w.classes[g.class].Slower[n.arch]; ok {
		g.service = time.Duration(slower * float64(g.service))
	}
	if n.stalls > 0 && luck(w.seed, g.began, g.origin, g.class) < n.stalls {
		g.service += n.stall
	}
	g.token = n.busy.Start(w.now, n.services[g.class].get(n.rel))
	n.running = append(n.running, i)
	w.agenda.add(event{at: w.now + g.service, kind: completion, arg: i, birth: g.birth})
	if w.sc.Cut && g.deadline > 0 {
		w.agenda.add(event{at: max(w.now, g.deadline), kind: overdue, arg: i, birth: g.birth})
	}
}

// complete ends a service.
func (w *world) complete(i int32, birth uint32) {
	g := w.legs.live(i, birth)
	if g == nil || g.state != running || w.now < g.started+g.service {
		return // died, or was slowed down meanwhile
	}
	n := &w.nodes[g.node]
	w.leave(n, i)
	n.measure(g)
	w.proceed(n, i, answered)
}

// cut ends what still runs at its deadline.
func (w *world) cut(i int32, birth uint32) {
	g := w.legs.live(i, birth)
	if g == nil || g.state != running {
		return
	}
	// As nodes measure: what was not seen to its end counts if it took long.
	n := &w.nodes[g.node]
	w.leave(n, i)
	if g.service = w.now - g.started; g.service > n.services[g.class].get(n.rel).Mean {
		n.measure(g)
	}
	w.proceed(n, i, expired)
}

// proceed ends a leg that has left its server, and has the next one take that.
func (w *world) proceed(n *node, i int32, how ending) {
	w.finish(i, how)
	w.startNext(n)
	if n.puller != nil {
		n.puller.Served(w.now)
		w.idle(n)
	}
}

// leave takes a leg off its server.
func (w *world) leave(n *node, i int32) {
	g := w.legs.at(i)
	n.busy.End(g.token)
	at := slices.Index(n.running, i)
	n.running[at] = n.running[len(n.running)-1]
	n.running = n.running[:len(n.running)-1]
	w.tally.ran(w, n, g.started)
}

// measure learns from a service that has ended.
func (n *node) measure(g *leg) {
	const gain, outlier = 0.02, 8
	if n.unaware {
		return
	}
	s := &n.services[g.class]
	ratio := min(float64(g.service)/s.law.mean, outlier*n.rel)
	n.rel += gain * (ratio - n.rel)
	s.stats.Add(g.service)
	n.mix.Add(s.get(n.rel))
}

// startNext starts what waits as far as there are servers.
func (w *world) startNext(n *node) {
	w.expire(n)
	for len(n.running) < n.servers {
		i, ok := n.queue.Pop(w.now)
		if !ok {
			return
		}
		if w.keeps(n, i) {
			w.start(i)
		} else {
			w.finish(i, expired)
		}
	}
}

// keeps asks the policy whether what waited shall start.
func (w *world) keeps(n *node, i int32) bool {
	if n.dequeuer == nil {
		return true
	}
	g := w.legs.at(i)
	g.asked.Deadline = g.left(w.now)
	w.fill(n, g)
	keep, _ := n.dequeuer.Keep(&w.view, &g.asked)
	return keep
}

// expire ends the wait of what can no longer be on time.
func (w *world) expire(n *node) {
	if at, ok := n.queue.NextExpiry(); !ok || at > w.now {
		return
	}
	for _, i := range n.queue.Expire(w.now) {
		w.finish(i, expired)
	}
}

// watchExpiry sees to it that the node wakes for the next expiry.
func (w *world) watchExpiry(n *node) {
	at, ok := n.queue.NextExpiry()
	if !ok || n.expiring > 0 && n.expiring <= at {
		return
	}
	n.expiring = at
	w.agenda.add(event{at: at, kind: expiry, node: n.number})
}

func (w *world) expiryDue(n *node) {
	if n.expiring == 0 || n.expiring > w.now {
		return
	}
	n.expiring = 0
	w.expire(n)
	w.watchExpiry(n)
}
