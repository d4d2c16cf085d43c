package rl

import (
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// place is where an invocation may run, with all that is known of it for free:
// what a model tells its chances by.
type place struct {
	peer   peer.ID // none for here
	remote bool
	now    time.Duration
	prior  float64 // the default's chance of being on time
	fresh  float64 // how much of the peer's report was believed, 1 here
	own    float64 // how full this node is, 0 to 1
	fill   float64 // how full that node is
	size   float64 // log of the body's size over that of a usual one
}

// here and there are the places of a weighing.
func here(v *sched.View, w *sched.Weighing, size float64) place {
	own := fill(v.Self.Load.Total(), v.Self.Load.Servers)
	return place{now: v.Now, prior: w.Here.Chance, fresh: 1, own: own, fill: own, size: size}
}

func there(v *sched.View, w *sched.Weighing, size float64) place {
	n := &v.Neighbours[w.Peer]
	return place{
		peer: n.ID, remote: true, now: v.Now, prior: w.There.Chance, fresh: w.Fresh, size: size,
		own:  fill(v.Self.Load.Total(), v.Self.Load.Servers),
		fill: fill(n.Queue(), n.Load.Servers),
	}
}

// fill is 0 for an idle node, a half if as many are there as it has servers, and
// tends to 1.
func fill(count, servers int) float64 {
	n := float64(max(0, count))
	return n / (n + float64(max(1, servers)))
}

// sizes knows the usual size of a function's bodies. The zero value is ready.
type sizes struct {
	Count int     `json:"count"`
	Mean  float64 `json:"mean"` // of the logarithm
}

// sizeRange bounds how unusual a size counts as: e^3 is 20 times the usual.
const sizeRange = 3

// add takes in a body and tells how large it is for this function, 0 if unknown.
func (s *sizes) add(bytes int64) float64 {
	if bytes < 0 {
		return 0
	}
	x := math.Log1p(float64(bytes))
	s.Count++
	s.Mean += max(0.002, 1/float64(s.Count)) * (x - s.Mean)
	return max(-sizeRange, min(sizeRange, x-s.Mean))
}
