package node

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/pull"
	"github.com/p2pfaas/p2pfaas/sched"
)

// asker carries an ask for work to a peer; *pull.Client is one.
type asker interface {
	Ask(ctx context.Context, p peer.ID, a pull.Ask) (pull.Answer, error)
}

// askTime bounds an ask of this node's own, its passings on included: work that
// takes longer to come may as well come by itself.
const askTime = time.Second

// pulling asks for work whenever a server is free here and nothing waits, as
// far as the policy wants it, until ctx ends. One ask is out at a time.
func (d *dispatcher) pulling(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.slots.idle:
		case <-d.slots.news:
		case <-timer.C:
		}
		again, vain := d.pull(ctx)
		for vain && d.rest(ctx, timer, again) {
			again, vain = d.pull(ctx)
		}
		timer.Stop()
		if again > 0 {
			timer.Reset(again)
		}
	}
}

// pull asks for work once if that makes sense now. again is when to look next, 0
// for not before something ends here; vain tells that there was nobody to ask.
func (d *dispatcher) pull(ctx context.Context) (again time.Duration, vain bool) {
	if !d.slots.isIdle() {
		return 0, false
	}
	ask, again, ok := d.policy.idle(d)
	if !ok {
		return again, true
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	answer, err := d.asker.Ask(ctx, ask.Peer, pull.Ask{Passes: ask.Passes, Notice: ask.Notice})
	if err != nil {
		log.Debugw("ask for work failed", "peer", ask.Peer, "error", err)
		answer = pull.Answer{By: ask.Peer}
	}
	d.metrics.asked(answer.OK, 1+answer.Messages)
	return d.policy.pulled(sched.PullEnd{Now: d.clock(), Peer: answer.By, OK: answer.OK, Messages: 1 + answer.Messages}), false
}

// Bounds of a rest. Short functions end so often that looks after each of them
// would find what the last one found, and wake a processor for it.
const (
	leastRest = 5 * time.Millisecond
	mostRest  = 10 * time.Millisecond
)

// rest is what follows a look in vain: what ends here meanwhile has to wait. It
// returns true, before its end, if there is news of work elsewhere.
func (d *dispatcher) rest(ctx context.Context, timer *time.Timer, again time.Duration) bool {
	timer.Reset(min(max(again/8, leastRest), mostRest))
	select {
	case <-d.slots.news:
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	return false
}

// heard tells the policy of a load that has become known. Where work waits, an idle
// node looks for some while that is fresh: news older than a part of a service
// is not believed, and looking by the clock alone may miss it time after time.
func (d *dispatcher) heard(n sched.News) {
	d.policy.report(n)
	if n.Load.Queued > 0 {
		d.slots.look()
	}
}

// arrival is how long an invocation that was promised may take to arrive; until
// then this node only looks idle.
const arrival = 20 * time.Millisecond

// idle asks the policy whom to ask for work.
func (b *policyBox) idle(d *dispatcher) (ask sched.Pull, again time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, pulls := b.policy.(sched.Puller)
	if !pulls {
		return ask, 0, false
	}
	d.fillIdle(&b.view)
	b.view.Rand = b.rand
	ask, again, ok = p.Idle(&b.view)
	return ask, again, ok && ask.Peer != d.self
}

// pulled tells the policy what came of it. again is when to look next.
func (b *policyBox) pulled(e sched.PullEnd) (again time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.policy.(sched.Puller); ok {
		p.Pulled(e)
	}
	if e.OK {
		return arrival
	}
	return time.Nanosecond
}

// pass asks the policy whom to pass an ask on to.
func (b *policyBox) pass(d *dispatcher, ask sched.Pull) (to peer.ID, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, pulls := b.policy.(sched.Puller)
	if !pulls {
		return "", false
	}
	d.fillIdle(&b.view)
	b.view.Rand = b.rand
	to, ok = p.Pass(&b.view, ask)
	return to, ok && to != d.self && to != ask.From && !slices.Contains(ask.Asked, to)
}

// pulls tells whether the policy in force has work move to where servers are
// free: one that does not, such as local, also keeps what others ask for.
func (b *policyBox) pulls() bool { return b.puller.Load() }

// fillIdle is what this node knows at this moment, for no function in particular.
func (d *dispatcher) fillIdle(v *sched.View) {
	d.fillNode(v)
	v.Self.Service, v.Self.Warm, v.Self.Deployed = v.Self.Mix, true, true
	d.slots.viewAt(&v.Self, &need{weight: 1}, v.Now)
	v.Neighbours = d.mesh.All(v.Neighbours)
	for i := range v.Neighbours {
		v.Neighbours[i].Service = v.Self.Mix
	}
}

// Asked answers a peer's ask for work: something that waits here goes to who
// asks, or the ask goes on to somebody else, or there is nothing.
func (d *dispatcher) Asked(ctx context.Context, _ peer.ID, a pull.Ask) pull.Answer {
	if a.From == d.self || slices.Contains(a.Asked, d.self) {
		return pull.Answer{Messages: 1}
	}
	if !a.Notice && d.policy.pulls() && d.slots.give(a.From, func(inv *invocation) (sched.Offer, bool) { return d.offer(inv, a.From) }) {
		d.metrics.given.Inc()
		return pull.Answer{OK: true}
	}
	to, ok := d.policy.pass(d, sched.Pull{Peer: d.self, From: a.From, Passes: a.Passes, Notice: a.Notice, Asked: a.Asked})
	if !ok || a.Passes <= 0 || a.Notice {
		return pull.Answer{Messages: 1}
	}
	next := pull.Ask{From: a.From, Passes: a.Passes - 1, Asked: append(slices.Clip(a.Asked), d.self)}
	answer, err := d.asker.Ask(ctx, to, next)
	if err != nil {
		return pull.Answer{Messages: 2}
	}
	answer.Messages++
	return answer
}

// offer reckons how a waiting invocation would fare at a peer that has a server
// free; false if it cannot go there.
func (d *dispatcher) offer(inv *invocation, to peer.ID) (sched.Offer, bool) {
	if !d.mayGo(inv, to) {
		return sched.Offer{}, false
	}
	n, ok := d.mesh.Look(to, inv.Function, inv.function.print)
	if !ok {
		return sched.Offer{}, false
	}
	mean, fast := n.Service.Mean, n.Service.P10
	if mean == 0 {
		mean = inv.function.service.get().Mean
	}
	return sched.Offer{Start: n.RTT/2 + n.Cold, Mean: mean + n.RTT/2, Fast: fast + n.RTT/2}, true
}

// mayGo tells whether an invocation that waits here may be sent to that peer.
func (d *dispatcher) mayGo(inv *invocation, to peer.ID) bool {
	return inv.function != nil && !staysHere(inv) && inv.parent == nil && inv.policy == "" &&
		inv.attempts < maxAttempts && inv.body.replayable() && len(inv.Hops) < maxDepth && !slices.Contains(inv.visited, to)
}

// handOver decides for what a peer has asked for: it goes there.
func (d *dispatcher) handOver(inv *invocation) sched.Decision {
	inv.last = sched.Decision{Action: sched.Forward, Peer: inv.handed, Reason: sched.ReasonPulled, Token: inv.last.Token}
	inv.handed = ""
	d.records.decided(inv, nil, &inv.last)
	return inv.last
}
