package node

import (
	"cmp"
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/sched"
)

// ask has the policy decide on the invocation as things stand now.
func (d *dispatcher) ask(inv *invocation) sched.Decision {
	b := d.policy
	b.mu.Lock()
	defer b.mu.Unlock()
	d.fillView(&b.view, inv)
	b.view.Rand = b.rand
	inv.asked.Token = inv.last.Token
	p := b.of(inv.policy)
	inv.hop.Policy = cmp.Or(inv.policy, b.label)
	decision := p.Decide(&b.view, &inv.asked)
	decision.Probes, decision.Question = slices.Clone(decision.Probes), decision.Question.Clone() // the policy's memory, until its next Decide
	d.records.decided(inv, &b.view, &decision)
	inv.note(p, decision.Token)
	d.teach(p)
	return decision
}

// fillView is what this node knows at this moment, for one invocation.
func (d *dispatcher) fillView(v *sched.View, inv *invocation) {
	d.fillNode(v)
	d.slots.viewAt(&v.Self, &inv.wants, v.Now)
	var print faas.Fingerprint
	if fn := inv.function; fn != nil && !inv.awayOnly {
		v.Self.Deployed, v.Self.Warm, v.Self.Cold, v.Self.Service = true, fn.warm, fn.cold, inv.wants.service
		print = fn.print
	}
	if staysHere(inv) {
		v.Neighbours = v.Neighbours[:0]
		return
	}
	if len(inv.Fingerprint) > 0 {
		copy(print[:], inv.Fingerprint)
	}
	v.Neighbours = d.mesh.Fill(v.Neighbours, inv.Function, print)
}

// fillNode is what does not depend on the invocation.
func (d *dispatcher) fillNode(v *sched.View) {
	v.Now = d.clock() // with the policy's lock held: its time does not go back
	v.OwnRate = d.arrivals.get(v.Now)
	v.MeshUtilisation = d.mesh.Utilisation()
	v.Self = sched.Self{ID: d.self, Zone: d.zone, Mix: d.mix.get(), Load: sched.Load{Speed: 1, Rate: v.OwnRate, Out: d.forwards.get(v.Now)}}
}

// staysHere tells whether the function's bodies may not leave this node.
func staysHere(inv *invocation) bool {
	return inv.function != nil && (inv.function.keepsHome || inv.function.runsOnly)
}

// report is this node's own load, for its neighbours.
func (d *dispatcher) report() sched.Load {
	now := d.clock()
	l := d.slots.load()
	l.Speed, l.Rate, l.Out = 1, d.arrivals.get(now), d.forwards.get(now)
	return l
}

// sinceStart is the node's clock: monotonic, its zero is the node's start.
func sinceStart() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}
