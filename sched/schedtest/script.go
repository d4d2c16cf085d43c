package schedtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/sched"
)

// script is all that happens to one policy: everything a run depends on is in
// it, so that it can be played twice.
type script struct {
	Seed        uint64
	Invocations []invocation
}

type invocation struct {
	View    sched.View
	Request sched.Request
	// Loads are the neighbours' answers to probes, by index; those at an index
	// of Silent do not answer.
	Loads  []sched.Load
	Silent []bool
	// Advices are what a decider elsewhere answers, one round after another.
	Advices []sched.Advice
	Result  sched.Result
}

// view makes a fresh one, as Decide may not change it: what is compared
// afterwards must not share memory with it.
func (i *invocation) view(rng *rand.Rand) *sched.View {
	v := i.View
	v.Rand = rng
	v.Neighbours = slices.Clone(i.View.Neighbours)
	return &v
}

func (i *invocation) request() *sched.Request {
	r := i.Request
	r.Visited = slices.Clone(i.Request.Visited)
	r.Probed = slices.Clone(i.Request.Probed)
	return &r
}

// answer takes a probe's answer into the invocation: the view that follows has
// the fresh load.
func (i *invocation) answer(probed []peer.ID) {
	for k := range i.View.Neighbours {
		n := &i.View.Neighbours[k]
		if i.Silent[k] || !slices.Contains(probed, n.ID) || slices.Contains(i.Request.Probed, n.ID) {
			continue
		}
		n.Load, n.Sampled, n.OwnSends = i.Loads[k], i.View.Now, 0
		i.Request.Probed = append(i.Request.Probed, n.ID)
	}
}

// copy shares nothing that answer or the passing of time change.
func (i *invocation) copy() invocation {
	c := *i
	c.View.Neighbours = slices.Clone(i.View.Neighbours)
	c.Request.Probed = slices.Clone(i.Request.Probed)
	return c
}

func scriptOf(l limits) *rapid.Generator[script] {
	return rapid.Custom(func(t *rapid.T) script {
		return script{
			Seed:        rapid.Uint64().Draw(t, "seed"),
			Invocations: rapid.SliceOfN(invocationOf(l), 1, l.invocations).Draw(t, "invocations"),
		}
	})
}

func invocationOf(l limits) *rapid.Generator[invocation] {
	return rapid.Custom(func(t *rapid.T) invocation {
		count := rapid.IntRange(0, l.neighbours).Draw(t, "neighbours")
		now := duration(time.Hour).Draw(t, "now")
		neighbours := make([]sched.Neighbour, count)
		for k := range neighbours {
			neighbours[k] = neighbour(t, peer.ID(fmt.Sprintf("peer-%03d", k)), now)
		}
		return invocation{
			View: sched.View{
				Now:             now,
				Self:            self(t),
				Neighbours:      neighbours,
				OwnRate:         amount(100).Draw(t, "own rate"),
				MeshUtilisation: amount(2).Draw(t, "utilisation"),
			},
			Request: request(t, neighbours),
			Loads:   rapid.SliceOfN(rapid.Custom(load), count, count).Draw(t, "answers"),
			Silent:  rapid.SliceOfN(rapid.Bool(), count, count).Draw(t, "silent"),
			Advices: rapid.SliceOfN(rapid.Custom(advice), sched.MaxRounds, sched.MaxRounds).Draw(t, "advices"),
			Result:  sched.Result(rapid.IntRange(0, int(sched.Cancelled)).Draw(t, "result")),
		}
	})
}

func self(t *rapid.T) sched.Self {
	l := load(t)
	return sched.Self{
		ID:       "peer-self",
		Load:     l,
		Free:     l.Running < l.Servers && rapid.Bool().Draw(t, "free"),
		Room:     rapid.Bool().Draw(t, "room"),
		Deployed: rapid.IntRange(0, 3).Draw(t, "deployed") > 0,
		Service:  service(t),
		Warm:     rapid.Bool().Draw(t, "warm"),
		Cold:     duration(10*time.Second).Draw(t, "cold"),
	}
}

func neighbour(t *rapid.T, id peer.ID, now time.Duration) sched.Neighbour {
	return sched.Neighbour{
		ID:         id,
		Zone:       rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "zone"),
		Arch:       rapid.SampledFrom([]string{"", "amd64", "arm64"}).Draw(t, "arch"),
		RTT:        duration(time.Second).Draw(t, "rtt"),
		Throughput: amount(1e9).Draw(t, "throughput"),
		Relayed:    rapid.Bool().Draw(t, "relayed"),
		Health:     amount(1).Draw(t, "health"),
		Honesty:    amount(1).Draw(t, "honesty"),
		Load:       load(t),
		Sampled:    now - duration(time.Minute).Draw(t, "age"),
		OwnSends:   rapid.IntRange(0, 50).Draw(t, "own sends"),
		Service:    service(t),
		Warm:       rapid.Bool().Draw(t, "warm"),
		Cold:       duration(10*time.Second).Draw(t, "cold"),
	}
}

func load(t *rapid.T) sched.Load {
	return sched.Load{
		Wait:    duration(time.Minute).Draw(t, "wait"),
		Running: rapid.IntRange(0, 64).Draw(t, "running"),
		Queued:  rapid.IntRange(0, 1024).Draw(t, "queued"),
		Servers: rapid.IntRange(0, 64).Draw(t, "servers"),
		Speed:   amount(4).Draw(t, "speed"),
		Rate:    amount(1000).Draw(t, "rate"),
		Out:     amount(1000).Draw(t, "out"),
	}
}

func service(t *rapid.T) sched.Service {
	mean := duration(time.Minute).Draw(t, "mean")
	return sched.Service{Mean: mean, P10: mean / 5, Spread: amount(1).Draw(t, "spread")}
}

// request may have visited neighbours and nodes out of view.
func request(t *rapid.T, neighbours []sched.Neighbour) sched.Request {
	known := []peer.ID{"stranger-1", "stranger-2"}
	for _, n := range neighbours {
		known = append(known, n.ID)
	}
	visited := rapid.SliceOfNDistinct(rapid.SampledFrom(known), 0, min(5, len(known)), rapid.ID).Draw(t, "visited")
	return sched.Request{
		Function:   rapid.SampledFrom([]string{"", "work", "other.namespace"}).Draw(t, "function"),
		BodySize:   rapid.Int64Range(-1, 1<<30).Draw(t, "body size"),
		Deadline:   duration(time.Minute).Draw(t, "deadline"),
		Hops:       len(visited),
		Visited:    visited,
		TaskType:   amount(3).Draw(t, "task type"),
		Priority:   rapid.IntRange(-2, 2).Draw(t, "priority"),
		Idempotent: rapid.Bool().Draw(t, "idempotent"),
		Weight:     amount(1).Draw(t, "weight"),
		Nested:     rapid.IntRange(0, 7).Draw(t, "nested") == 7,
	}
}

// advice is none often, and may be nonsense.
func advice(t *rapid.T) sched.Advice {
	if rapid.IntRange(0, 3).Draw(t, "unanswered") == 0 {
		return sched.Advice{}
	}
	action := rapid.OneOf(rapid.IntRange(0, 8), rapid.Int()).Draw(t, "action")
	return sched.Advice{OK: true, Action: action, Epsilon: rapid.Float64().Draw(t, "epsilon")}
}

// duration is 0 often: what is unknown or does not apply.
func duration(high time.Duration) *rapid.Generator[time.Duration] {
	return rapid.OneOf(rapid.Just(time.Duration(0)), rapid.Map(rapid.Int64Range(0, int64(high)),
		func(ns int64) time.Duration { return time.Duration(ns) }))
}

// amount is 0 or its highest often.
func amount(high float64) *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Just(0.0), rapid.Just(high), rapid.Float64Range(0, high))
}
