package sim

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// probeLimit is how long a leg waits for its probes' answers at most.
const probeLimit = 250 * time.Millisecond

// probe asks peers for their load; the leg goes on once all have answered.
func (w *world) probe(i int32) {
	g := w.legs.at(i)
	n := &w.nodes[g.node]
	g.state = probing
	g.awaited = len(g.last.Probes)
	limit := time.Duration(0)
	for _, id := range g.last.Probes {
		w.sendProbe(n, id, i, g.birth)
		limit = max(limit, 4*w.delay(n, &w.nodes[number(id)]))
	}
	if g.awaited == 0 {
		w.probesDone(i)
	} else if w.mayDie() {
		w.agenda.add(event{at: w.now + max(probeLimit, limit), kind: probeSilence, arg: i, birth: g.birth, node: int32(g.asked.Round)})
	}
}

// mayDie tells whether nodes die in this scenario at all.
func (w *world) mayDie() bool {
	for i := range w.sc.Events {
		if w.sc.Events[i].Kill {
			return true
		}
	}
	return false
}

func (w *world) probeForLater(g *leg) {
	for _, id := range g.last.Probes {
		w.sendProbe(&w.nodes[g.node], id, none, 0)
	}
}

func (w *world) sendProbe(n *node, to peer.ID, leg int32, birth uint32) {
	w.tally.probes(w, 1)
	m := w.mail.claim()
	p := w.mail.at(m)
	p.kind, p.leg, p.birth = probe, leg, birth
	w.post(m, n, number(to))
}

// probed answers a probe.
func (w *world) probed(n *node, p *message) {
	m := w.mail.claim()
	a := w.mail.at(m)
	a.kind, a.leg, a.birth = probeAnswer, p.leg, p.birth
	w.post(m, n, p.from)
}

func (w *world) probeAnswered(p *message) {
	if p.leg == none {
		return
	}
	g := w.legs.live(p.leg, p.birth)
	if g == nil || g.state != probing {
		return
	}
	g.asked.Probed = append(g.asked.Probed, w.nodes[p.from].id)
	if g.awaited--; g.awaited == 0 {
		w.probesDone(p.leg)
	}
}

func (w *world) probesDone(i int32) {
	g := w.legs.at(i)
	g.state = deciding
	g.asked.Round++
	w.decide(i)
}

// probesSilent goes on without the answers that are missing.
func (w *world) probesSilent(i int32, birth uint32, round int32) {
	if g := w.legs.live(i, birth); g != nil && g.state == probing && g.asked.Round == int(round) {
		w.probesDone(i)
	}
}
