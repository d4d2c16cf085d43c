package schedtest

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// decide is a policy made of one function.
type decide func(v *sched.View, r *sched.Request) sched.Decision

func (d decide) Decide(v *sched.View, r *sched.Request) sched.Decision { return d(v, r) }

func refuse() sched.Decision {
	return sched.Decision{Action: sched.Refuse, Reason: sched.ReasonAlways}
}

func peers(names ...string) []peer.ID {
	var ids []peer.ID
	for _, name := range names {
		ids = append(ids, ID(name))
	}
	return ids
}

func always(d sched.Decision) func() sched.Policy {
	return func() sched.Policy {
		return decide(func(*sched.View, *sched.Request) sched.Decision { return d })
	}
}

// asker asks a fixed peer for work.
type asker struct{ decide }

func (asker) Idle(*sched.View) (sched.Pull, time.Duration, bool) {
	return sched.Pull{Peer: ID("stranger")}, 0, true
}
func (asker) Pass(*sched.View, sched.Pull) (peer.ID, bool) { return "", false }
func (asker) Pulled(sched.PullEnd)                         {}
func (asker) Served(time.Duration)                         {}

// teacher tells the same lesson again and again.
type teacher struct {
	decide
	lesson sched.Lesson
}

func (t teacher) Lesson() (sched.Lesson, bool) { return t.lesson, true }

func asks(q sched.Question) func() sched.Policy {
	return always(sched.Decision{Action: sched.Ask, Question: &q, Reason: sched.ReasonAsking})
}

// mute offers things besides Decide and does none well.
type mute struct {
	decide
	text            string
	saving, loading error
}

func (m mute) Describe() string          { return m.text }
func (m mute) Snapshot() ([]byte, error) { return nil, m.saving }
func (m mute) Restore([]byte) error      { return m.loading }

func muted(text string, saving, loading error) func() sched.Policy {
	refusing := func(*sched.View, *sched.Request) sched.Decision { return refuse() }
	return func() sched.Policy { return mute{refusing, text, saving, loading} }
}

// breach is a policy that breaks the contract and what the suite says of it.
type breach struct {
	policy func() sched.Policy
	want   string
}

func breaches() map[string]breach {
	return map[string]breach{
		"no reason":      {always(sched.Decision{Action: sched.Refuse}), "without a reason"},
		"unknown action": {always(sched.Decision{Action: 99, Reason: sched.ReasonAlways}), "no such action"},
		"not a number": {always(sched.Decision{Action: sched.Refuse, Reason: sched.ReasonAlways,
			Score: sched.Score{Here: math.NaN()}}), "not finite"},
		"infinite": {always(sched.Decision{Action: sched.Refuse, Reason: sched.ReasonAlways,
			Score: sched.Score{There: math.Inf(1)}}), "not finite"},
		"runs what is not deployed": {always(sched.Decision{Action: sched.Run, Reason: sched.ReasonAlways}), "not deployed here"},
		"forwards to nobody":        {always(sched.Decision{Action: sched.Forward, Reason: sched.ReasonAlways}), "a peer goes with Forward"},
		"refuses to a peer": {always(sched.Decision{Action: sched.Refuse, Peer: "peer-000", Reason: sched.ReasonAlways}),
			"a peer goes with Forward"},
		"forwards to itself": {always(sched.Decision{Action: sched.Forward, Peer: "peer-self", Reason: sched.ReasonAlways}), "itself"},
		"forwards to a stranger": {always(sched.Decision{Action: sched.Forward, Peer: "stranger-3", Reason: sched.ReasonAlways}),
			"not in view"},
		"forwards back":     {func() sched.Policy { return decide(forwardBack) }, "where it has been"},
		"waits for ever":    {always(sched.Decision{Action: sched.Wait, Delay: time.Second, Reason: sched.ReasonAlways}), "no end"},
		"waits for nothing": {always(sched.Decision{Action: sched.Wait, Reason: sched.ReasonAlways}), "waits for 0s"},
		"probes nobody":     {always(sched.Decision{Action: sched.Probe, Reason: sched.ReasonProbing}), "probes nobody"},
		"probes a stranger": {always(sched.Decision{Action: sched.Probe, Reason: sched.ReasonProbing,
			Probes: peers("stranger-3")}), "not a neighbour"},
		"probes twice":             {func() sched.Policy { return decide(probeTwice) }, "twice"},
		"probes and does not wait": {func() sched.Policy { return decide(probeAndRefuse) }, "does not wait"},
		"asks nothing":             {always(sched.Decision{Action: sched.Ask, Reason: sched.ReasonAsking}), "without a question"},
		"asks for no action":       {asks(sched.Question{Within: time.Second}), "one of the actions []"},
		"asks at once":             {asks(sched.Question{Actions: []int{1}}), "gives no time"},
		"asks about nothing":       {asks(sched.Question{Actions: []int{1}, State: []float64{math.NaN()}, Within: time.Second}), "not all of it finite"},
		"teaches nonsense": {func() sched.Policy {
			return teacher{func(*sched.View, *sched.Request) sched.Decision { return refuse() }, sched.Lesson{Reward: 1}}
		}, "lesson"},
		"teaches for ever": {func() sched.Policy {
			return teacher{func(*sched.View, *sched.Request) sched.Decision { return refuse() }, sched.Lesson{Step: sched.Step{ID: 1}}}
		}, "more than"},
		"changes a neighbour":        {func() sched.Policy { return decide(changeNeighbour) }, "changed the view"},
		"changes the request":        {func() sched.Policy { return decide(changeRequest) }, "changed the request"},
		"other chance than the view": {ownChance, "not deterministic"},
		"does not say what it does":  {muted("", nil, nil), "describe: says nothing"},
		"cannot be saved":            {muted("x", errors.New("broken"), nil), "snapshot: broken"},
		"cannot be restored":         {muted("x", nil, errors.New("broken")), "restore of its own snapshot: broken"},
		"asks a stranger for work": {func() sched.Policy {
			return asker{func(*sched.View, *sched.Request) sched.Decision { return refuse() }}
		}, "idle: asks"},
	}
}

func forwardBack(_ *sched.View, r *sched.Request) sched.Decision {
	if len(r.Visited) == 0 {
		return refuse()
	}
	return sched.Decision{Action: sched.Forward, Peer: r.Visited[0], Reason: sched.ReasonAlways}
}

func probeTwice(v *sched.View, _ *sched.Request) sched.Decision {
	if len(v.Neighbours) == 0 {
		return refuse()
	}
	id := v.Neighbours[0].ID
	return sched.Decision{Action: sched.Probe, Probes: peers(string(id), string(id)), Reason: sched.ReasonProbing}
}

func probeAndRefuse(v *sched.View, _ *sched.Request) sched.Decision {
	d := refuse()
	if len(v.Neighbours) > 0 {
		d.Probes = peers(string(v.Neighbours[0].ID))
	}
	return d
}

func changeNeighbour(v *sched.View, _ *sched.Request) sched.Decision {
	if len(v.Neighbours) > 0 {
		v.Neighbours[0].OwnSends++
	}
	return refuse()
}

func changeRequest(_ *sched.View, r *sched.Request) sched.Decision {
	r.Hops++
	return refuse()
}

func ownChance() sched.Policy {
	return decide(func(v *sched.View, _ *sched.Request) sched.Decision {
		d := refuse()
		d.Score.Here = rand.Float64()
		return d
	})
}

func TestCheckFindsBreaches(t *testing.T) {
	scripts := scriptOf(limits{neighbours: 6, invocations: 4})
	for name, b := range breaches() {
		t.Run(name, func(t *testing.T) {
			for seed := range 200 {
				err := check(b.policy, scripts.Example(seed))
				if err != nil && strings.Contains(err.Error(), b.want) {
					return
				}
			}
			t.Fatalf("no script of 200 made the suite say %q", b.want)
		})
	}
}

// prober probes all in view and then refuses; it remembers what it was told.
type prober struct {
	reports, outcomes *int
}

func (p prober) Decide(v *sched.View, r *sched.Request) sched.Decision {
	if r.Round > 0 || len(v.Neighbours) == 0 {
		return refuse()
	}
	d := sched.Decision{Action: sched.Probe, Reason: sched.ReasonProbing}
	for i := range v.Neighbours {
		d.Probes = append(d.Probes, v.Neighbours[i].ID)
	}
	return d
}

func (p prober) Report(sched.News)     { *p.reports++ }
func (p prober) Observe(sched.Outcome) { *p.outcomes++ }

func TestCheckAnswersProbesAndTellsOutcomes(t *testing.T) {
	var reports, outcomes int
	scripts := scriptOf(limits{neighbours: 6, invocations: 4})
	var wantReports, wantOutcomes int
	for seed := range 50 {
		s := scripts.Example(seed)
		for _, call := range s.Invocations {
			for _, silent := range call.Silent {
				if !silent {
					wantReports += 2 // two policies play the script
				}
			}
			wantOutcomes += 2
		}
		if err := check(func() sched.Policy { return prober{reports: &reports, outcomes: &outcomes} }, s); err != nil {
			t.Fatal(err)
		}
	}
	if reports == 0 || reports != wantReports || outcomes != wantOutcomes {
		t.Errorf("heard %d reports and %d outcomes, want %d and %d", reports, outcomes, wantReports, wantOutcomes)
	}
}

func TestViewSorts(t *testing.T) {
	v := View(1, Self(1, 0, time.Second),
		Neighbour("c", 0, 1, 0, 0), Neighbour("a", 0, 1, 3, 0), Neighbour("b", 0, 1, 0, 0))
	for _, name := range []string{"a", "b", "c"} {
		if n := v.Neighbour(ID(name)); n == nil || n.ID != ID(name) {
			t.Errorf("Neighbour(%q) = %v", name, n)
		}
	}
	if n := v.Neighbour(ID("a")); n.Load.Running != 1 || n.Load.Queued != 2 {
		t.Errorf("load %+v, want 1 running and 2 queued", n.Load)
	}
}
