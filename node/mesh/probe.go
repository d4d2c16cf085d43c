package mesh

import (
	"context"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// probeLimit bounds Mesh.Probe.
	probeLimit = 250 * time.Millisecond
	// firstProbes are made at once when a member joins: the first one or two
	// measure cold caches as well.
	firstProbes = 3
	// probeGap is the time between later ones, probeRetry after one that failed
	// or when nothing else is heard.
	probeGap   = 30 * time.Second
	probeRetry = 2 * time.Second
)

// probe is how measuring the distance to one neighbour goes.
type probe struct {
	running bool
	tell    bool          // it must hear something of us
	after   time.Duration // not before that
}

// probeDue tells whether to probe: a newcomer, or a neighbour that was not
// measured for long, or not heard for so long that it will be no candidate soon,
// or one that must hear something: a probe tells our load as well.
func (n *neighbour) probeDue(now, limit time.Duration) bool {
	if n.probe.running || now < n.probe.after {
		return false
	}
	quiet := now-n.heard > limit/2
	return n.rtt.samples < firstProbes || n.probe.tell || (n.inView && (quiet || now-n.rtt.measured >= probeGap))
}

// probed sets when to probe again.
func (n *neighbour) probed(now time.Duration, err error) {
	n.probe.running = false
	if err != nil || n.rtt.samples >= firstProbes {
		n.probe.after = now + probeRetry
	}
}

// announce has all neighbours hear our report soon. The topic's way is longer, above
// all to who has just joined.
func (m *Mesh) announce() {
	m.mu.Lock()
	for _, n := range m.table.view {
		n.probe.tell, n.probe.after = true, 0
	}
	m.mu.Unlock()
	m.wakeKeeper()
}

func (m *Mesh) measureRTT(ctx context.Context, n *neighbour) {
	_, err := m.probe(ctx, n.id)
	now := m.now()
	m.mu.Lock()
	n.probed(now, err)
	m.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		log.Debugw("neighbour not probed", "peer", n.id, "err", err)
	}
}

// probe asks one peer; what it says is in the table then.
func (m *Mesh) probe(ctx context.Context, p peer.ID) (time.Duration, error) {
	news, rtt, err := m.prober.Probe(ctx, p)
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	if n := m.table.members[p]; n != nil {
		n.rtt.add(m.now(), rtt)
	}
	m.mu.Unlock()
	m.Hear(p, &news)
	return rtt, nil
}

// Probe asks peers for their load, all at once, until all have answered, ctx
// ends or 250 ms are over. It returns those that did, in the order asked; what
// they said is in the next Fill.
func (m *Mesh) Probe(ctx context.Context, peers []peer.ID) (answered []peer.ID) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	ok := make([]bool, len(peers))
	var all sync.WaitGroup
	for i, p := range peers {
		all.Go(func() {
			_, err := m.probe(ctx, p)
			ok[i] = err == nil
		})
	}
	all.Wait()
	for i, p := range peers {
		if ok[i] {
			answered = append(answered, p)
		}
	}
	return answered
}
