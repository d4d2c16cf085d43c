package host

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// rendezvousKey is what all nodes of a mesh advertise.
	rendezvousKey = "nodes"
	// settle is how long news wait for more of the kind.
	settle = 50 * time.Millisecond
	// firstGap is between the first two rounds that follow news; further gaps
	// double up to lastGap, so that a mesh which starts up as a whole does not
	// look for itself all the time.
	firstGap = 500 * time.Millisecond
	lastGap  = 8 * time.Second
	// quietGap is between rounds without news.
	quietGap = time.Minute
	// provideAtOnce bounds the records being made at the same time.
	provideAtOnce = 4
)

// run makes rounds until ctx ends: soon after each news, once more a little
// later, as others may have missed us who looked at the same moment, and then
// once a minute.
func (d *directory) run(ctx context.Context) {
	p := newPace(time.Now())
	timer := time.NewTimer(quietGap)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.news:
			p.news(time.Now(), p.gap)
		case <-d.keys:
			p.news(time.Now(), firstGap)
		case <-timer.C:
			d.round(ctx)
			p.round(time.Now())
		}
		timer.Reset(time.Until(p.due))
	}
}

// pace says when rounds are due.
type pace struct {
	due   time.Time
	last  time.Time     // of the rounds
	gap   time.Duration // that the next one keeps from it
	fresh bool          // there are news since
}

func newPace(now time.Time) *pace { return &pace{due: now.Add(quietGap), gap: firstGap} }

// news makes the next round due soon, but so long after the last.
func (p *pace) news(now time.Time, gap time.Duration) {
	soon := now.Add(settle)
	if next := p.last.Add(gap); next.After(soon) {
		soon = next
	}
	if soon.Before(p.due) {
		p.due = soon
	}
	p.fresh = true
}

func (p *pace) round(now time.Time) {
	p.last = now
	if p.fresh {
		p.due, p.gap, p.fresh = now.Add(p.gap), min(2*p.gap, lastGap), false
		return
	}
	p.due, p.gap = now.Add(quietGap*4/5+rand.N(quietGap*2/5)), firstGap
}

// round advertises what is due, and finds the other nodes of the mesh. The order
// matters: of two nodes that do this at the same time, at least one sees the other.
func (d *directory) round(ctx context.Context) {
	members := d.reviewTable()
	if d.kad.RoutingTable().Size() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	d.provide(ctx, members)
	for info := range d.providers(ctx, rendezvousKey) {
		d.heard(info)
	}
}

// reviewTable puts all members into the routing table that are not there, such
// as one that did not answer a lookup in time, and counts them.
func (d *directory) reviewTable() (members int) {
	for _, p := range d.host.host.Network().Peers() {
		if d.serves(p) {
			members++
			d.enter(p)
			d.presume(p)
		}
	}
	return members
}

// provide makes the records that are new or getting old, and those from when the
// mesh had less than half of its members: others are nearer to them by now.
func (d *directory) provide(ctx context.Context, members int) {
	if d.host.cfg.Client {
		return
	}
	var work sync.WaitGroup
	places := make(chan struct{}, provideAtOnce)
	for key := range d.due(members) {
		places <- struct{}{}
		work.Go(func() {
			defer func() { <-places }()
			if err := d.kad.Provide(ctx, d.id(key), true); err != nil {
				log.Debugw("record not made, trying again", "err", err)
				return
			}
			d.made(key, members)
		})
	}
	work.Wait()
}

func (d *directory) due(members int) map[string]struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	due := make(map[string]struct{})
	for key, p := range d.provided {
		// The next round without news may be a minute away.
		if p.at.IsZero() || time.Since(p.at) > provideEvery-quietGap || members >= 2*p.members {
			due[key] = struct{}{}
		}
	}
	return due
}

func (d *directory) made(key string, members int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.provided[key]; p != nil {
		p.at, p.members = time.Now(), members
	}
}
