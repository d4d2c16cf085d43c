package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/test"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

func somePeers(t testing.TB, n int) []peer.ID {
	t.Helper()
	ids := make([]peer.ID, n)
	for i := range ids {
		ids[i] = test.RandPeerIDFatal(t)
	}
	slices.Sort(ids)
	return ids
}

// recorded returns what was recorded of the only call of that ID.
func recorded(t *testing.T, r *records, id string) control.Call {
	t.Helper()
	found := r.Find(id)
	if len(found) != 1 {
		t.Fatalf("%d calls %q are kept, want 1: %+v", len(found), id, found)
	}
	return found[0]
}

func TestRecordsThroughDispatch(t *testing.T) {
	ids := somePeers(t, 4)
	a, b, c, x := ids[0], ids[1], ids[2], ids[3]
	refused := &invoke.Error{Code: invoke.CodeRefused, Remote: true}
	lost := &invoke.Error{Code: invoke.CodeUnknown}
	notReached := fmt.Errorf("dial: %w", invoke.ErrNotReached)
	to := func(p peer.ID) sched.Decision {
		return sched.Decision{Action: sched.Forward, Peer: p, Reason: sched.ReasonThereSooner, Score: sched.Score{Here: .14, There: .012}}
	}
	away := sched.Decision{Action: sched.Probe, Probes: []peer.ID{b, c}, Reason: sched.ReasonProbing}
	refuse := sched.Decision{Action: sched.Refuse, Reason: sched.ReasonFull}
	// told is a call as one line: origin, hops, outcome, code, ran, and each step.
	told := func(k control.Call) string {
		name := func(p peer.ID) string {
			return map[peer.ID]string{"": "-", a: "a", b: "b", c: "c", x: "x", "remote": "remote"}[p]
		}
		s := fmt.Sprintf("%s %d %s %s %s", k.Origin, len(k.Hops), k.Outcome, k.Code, name(k.Ran))
		for _, step := range k.Steps {
			s += fmt.Sprintf("; %s %s %s %s", step.Action, name(step.Peer), step.Reason, step.Result)
			for _, n := range step.Candidates {
				s += " " + name(n.Peer)
				if n.Chosen {
					s += "!"
				}
				if n.Probed {
					s += "?"
				}
			}
		}
		return s
	}
	for _, test := range []struct {
		name    string
		request invoke.Request
		script  []sched.Decision
		failing map[peer.ID]error
		want    string
	}{
		{"runs here", invoke.Request{}, []sched.Decision{runHere}, nil,
			"http 0 answered  a; run - free-server ok b c"},
		{"passed on", invoke.Request{Hops: []peer.ID{x}}, []sched.Decision{to(c)}, nil,
			"peer 1 answered  b; forward c there-sooner ok c! b"},
		{"refused there, runs here", invoke.Request{}, []sched.Decision{to(b), runHere}, map[peer.ID]error{b: refused},
			"http 0 answered  a; forward b there-sooner refused b! c; run - free-server ok c"},
		{"not reached", invoke.Request{}, []sched.Decision{to(b), to(c)}, map[peer.ID]error{b: notReached},
			"http 0 answered  b; forward b there-sooner not-reached b! c; forward c there-sooner ok c!"},
		{"lost", invoke.Request{}, []sched.Decision{to(b)}, map[peer.ID]error{b: lost},
			"http 0 failed unknown-outcome -; forward b there-sooner unknown-outcome b! c"},
		{"probed", invoke.Request{}, []sched.Decision{away, to(c)}, nil,
			"http 0 answered  b; probe - probing  b! c!; forward c there-sooner ok c!? b?"},
		{"refused", invoke.Request{}, []sched.Decision{refuse}, nil,
			"http 0 refused refused -; refuse - full refused b c"},
		{"unknown function", invoke.Request{Function: "nope"}, nil, nil,
			"http 0 refused no-such-function -"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bench := newBench(t, nil, test.script...)
			bench.self, bench.mesh.peers = a, []peer.ID{b, c}
			bench.dispatcher.records = newRecords(8, bench.clock)
			for _, p := range []peer.ID{b, c} {
				bench.peers.answers[p] = func(r *invoke.Request, body string) (*invoke.Answer, error) {
					if err := test.failing[p]; err != nil {
						return nil, err
					}
					answer, err := answers("x")(r, body)
					answer.Hops[0].Peer = b // as an answer's header says it
					return answer, err
				}
			}
			test.request.CallID = "id"
			_, _, _ = bench.call(t.Context(), test.request)
			if diff := cmp.Diff(test.want, told(recorded(t, bench.dispatcher.records, "id"))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecordsTellNumbers(t *testing.T) {
	now := 10 * time.Second
	r := newRecords(4, func() time.Duration { return now })
	ids := somePeers(t, 2)
	inv := &invocation{Request: invoke.Request{CallID: "one", Function: "resize", Hops: ids[1:]}, received: 9 * time.Second}
	r.begin(inv)
	view := &sched.View{
		Now:  9100 * time.Millisecond,
		Self: sched.Self{Load: sched.Load{Wait: 140 * time.Millisecond, Running: 4, Queued: 3, Servers: 4}},
		Neighbours: []sched.Neighbour{{
			ID: ids[0], RTT: 2 * time.Millisecond, Health: 1, Honesty: .876, OwnSends: 1, Sampled: 9065 * time.Millisecond,
			Load: sched.Load{Wait: 10 * time.Millisecond, Running: 1, Servers: 2},
		}},
	}
	r.decided(inv, view, &sched.Decision{Action: sched.Forward, Peer: ids[0], Reason: sched.ReasonThereSooner, Score: sched.Score{Here: .14, There: math.Inf(1)}})
	inv.at = 9200 * time.Millisecond
	r.answered(inv, &invoke.Answer{Hops: []invoke.Hop{{Peer: ids[0]}}})
	if got := recorded(t, r, "one"); got.Outcome != control.OutcomeUnderWay || got.Total != 0 {
		t.Errorf("before its end it is told as %s after %v", got.Outcome, got.Total)
	}
	inv.hop = invoke.Hop{Policy: "spread", Decide: time.Millisecond, Queue: 2 * time.Millisecond}
	inv.at = 9300 * time.Millisecond
	r.ended(inv, sched.Answered, 0)
	now = 10 * time.Second
	got := recorded(t, r, "one")
	if ago := time.Since(got.Began); ago < time.Second || ago > time.Minute {
		t.Errorf("it began %v ago, want 1s", ago)
	}
	got.Began = time.Time{}
	want := control.Call{
		ID: "one", Function: "resize", Origin: control.OriginPeer, Hops: ids[1:], Ran: ids[0], Policy: "spread", Outcome: "answered",
		Decide: time.Millisecond, Queue: 2 * time.Millisecond, Total: 300 * time.Millisecond,
		Steps: []control.Step{{
			At: 100 * time.Millisecond, Action: "forward", Reason: "there-sooner", Peer: ids[0], Here: .14,
			Own:   control.Busy{Wait: 140 * time.Millisecond, Running: 4, Queued: 3, Servers: 4},
			InAll: 1, Result: control.ResultOK, Took: 100 * time.Millisecond,
			Candidates: []control.Candidate{{
				Peer: ids[0], Load: control.Busy{Wait: 10 * time.Millisecond, Running: 1, Servers: 2},
				Age: 35 * time.Millisecond, RTT: 2 * time.Millisecond, OwnSends: 1, Health: 1, Honesty: .88, Chosen: true,
			}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRecordsKeepTheBestCandidates(t *testing.T) {
	r := newRecords(8, sinceStart())
	v := viewOf(t, 40)
	for i := range v.Neighbours {
		v.Neighbours[i].Load.Wait = time.Duration((i*17)%40) * time.Second
	}
	chosen := v.Neighbours[30].ID // of the 40, the one that waits 30 s
	inv := &invocation{Request: invoke.Request{CallID: "one"}}
	inv.asked.Visited = []peer.ID{v.Neighbours[0].ID} // would be the best
	r.begin(inv)
	r.decided(inv, v, &sched.Decision{Action: sched.Forward, Peer: chosen})
	step := recorded(t, r, "one").Steps[0]
	if step.InAll != 39 || len(step.Candidates) != keptCandidates || step.Candidates[0].Peer != chosen {
		t.Fatalf("%d of %d candidates, the first is the chosen one: %v", len(step.Candidates), step.InAll, step.Candidates[0].Peer == chosen)
	}
	for i, c := range step.Candidates[1:] {
		if c.Load.Wait != time.Duration(i+1)*time.Second {
			t.Errorf("candidate %d waits %v", i, c.Load.Wait)
		}
	}
}

// What is overwritten is not told, and what is told is not mixed up.
func TestRecordsForget(t *testing.T) {
	r := newRecords(4, sinceStart())
	v := viewOf(t, 3)
	begin := func(id string, steps int) *invocation {
		inv := &invocation{Request: invoke.Request{CallID: id, Function: "f-" + id}}
		r.begin(inv)
		for range steps {
			r.decided(inv, v, &sched.Decision{Action: sched.Forward, Peer: v.Neighbours[0].ID})
		}
		return inv
	}
	first := begin("0", 1)
	for i := 1; i < 4; i++ {
		begin(fmt.Sprint(i), 1)
	}
	if got := recorded(t, r, "0").Steps; len(got) != 1 || got[0].Candidates != nil {
		t.Errorf("oldest call: %+v, want its step, without candidates", got)
	}
	if got := recorded(t, r, "3").Steps; len(got) != 1 || len(got[0].Candidates) != 3 {
		t.Errorf("latest call: %+v, want its step and 3 candidates", got)
	}
	begin("4", 3)
	if got := r.Find("0"); len(got) != 0 {
		t.Errorf("of an overwritten call this is told: %+v", got)
	}
	r.decided(first, v, &sched.Decision{}) // the call outlived its record
	r.tried(first, errReturned)
	r.ended(first, sched.Answered, 0)
	if got := recorded(t, r, "4"); len(got.Steps) != 3 || got.Outcome != control.OutcomeUnderWay {
		t.Errorf("another call's end came into its record: %+v", got)
	}
	if got := recorded(t, r, "2"); len(got.Steps) != 0 {
		t.Errorf("call 2 is told to have the steps of others: %+v", got.Steps)
	}
	list := r.Recent(10, func(c *control.Call) bool { return c.ID != "3" })
	if len(list) != 3 || list[0].ID != "4" || list[1].ID != "2" || list[2].ID != "1" || list[2].Function != "f-1" {
		t.Errorf("recent calls %+v, want 4, 2, 1", list)
	}
}

func TestRecordsLongTexts(t *testing.T) {
	r := newRecords(2, sinceStart())
	id := strings.Repeat("x", 1000)
	r.begin(&invocation{Request: invoke.Request{CallID: id, Function: id}})
	if got := recorded(t, r, id); len(got.ID) != control.MaxCallID || len(got.Function) != control.MaxCallID {
		t.Errorf("%d and %d bytes are kept", len(got.ID), len(got.Function))
	}
	r.begin(&invocation{Request: invoke.Request{CallID: "h", Hops: []peer.ID{"no peer ID"}}})
	if got := recorded(t, r, "h"); len(got.Hops) != 0 || got.Origin != control.OriginPeer {
		t.Errorf("a forged hop is told: %+v", got)
	}
}

func TestRecordsAreSmall(t *testing.T) {
	perCall := unsafe.Sizeof(callRecord{}) + unsafe.Sizeof(stepRecord{}) + 2*unsafe.Sizeof(candidateRecord{}) + 48 // of text
	if all := perCall * keptCalls; all > 1_200_000 {
		t.Errorf("%d bytes, %d a call", all, perCall)
	}
	v := viewOf(t, 8)
	r := newRecords(64, sinceStart())
	inv := &invocation{Request: invoke.Request{CallID: strings.Repeat("0", 32), Function: "resize"}}
	record := func() { recordOne(r, inv, v) }
	for range 64 {
		record()
	}
	if n := testing.AllocsPerRun(1000, record); n > 0 {
		t.Errorf("%v allocations per invocation", n)
	}
}

func recordOne(r *records, inv *invocation, v *sched.View) {
	r.begin(inv)
	r.decided(inv, v, &sched.Decision{Action: sched.Forward, Peer: v.Neighbours[0].ID})
	r.answered(inv, &invoke.Answer{})
	r.ended(inv, sched.Answered, 0)
}

// Readers see each call as it is, whoever writes meanwhile.
func TestRecordsConcurrently(t *testing.T) {
	r := newRecords(32, sinceStart())
	v := viewOf(t, 4)
	ctx, cancel := context.WithCancel(t.Context())
	var writers, readers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() { // ends after 2000 calls
			for i := range 2000 {
				id := fmt.Sprintf("%d-%d", w, i)
				inv := &invocation{Request: invoke.Request{CallID: id, Function: "f-" + id}}
				r.begin(inv)
				r.decided(inv, v, &sched.Decision{Action: sched.Forward, Peer: v.Neighbours[w].ID})
				r.tried(inv, errors.New("x"))
				r.ended(inv, sched.Failed, invoke.CodeUnknown)
			}
		})
	}
	readers.Go(func() { // ends with the writers
		for ctx.Err() == nil {
			for _, c := range r.Recent(32, func(*control.Call) bool { return true }) {
				whole := c.Function == "f-"+c.ID && (c.Outcome == control.OutcomeUnderWay) == (c.Code == "")
				for _, s := range c.Steps {
					whole = whole && s.Peer == v.Neighbours[c.ID[0]-'0'].ID
				}
				if whole && len(r.Find(c.ID)) <= 1 {
					continue
				}
				t.Errorf("mixed up: %+v", c)
				return
			}
		}
	})
	writers.Wait()
	cancel()
	readers.Wait()
}

func viewOf(t testing.TB, n int) *sched.View {
	v := &sched.View{Now: time.Second, Self: sched.Self{Load: sched.Load{Servers: 4}}}
	for i, id := range somePeers(t, n) {
		v.Neighbours = append(v.Neighbours, sched.Neighbour{
			ID: id, RTT: time.Duration(i*7%n) * time.Millisecond, Health: 1, Honesty: 1, Load: sched.Load{Servers: 4, Running: i % 4},
		})
	}
	return v
}

func BenchmarkRecord(b *testing.B) {
	for _, n := range []int{0, 3, 11, 64} {
		b.Run(fmt.Sprintf("neighbours=%d", n), func(b *testing.B) {
			v := viewOf(b, max(1, n))
			d := sched.Decision{Action: sched.Forward, Peer: v.Neighbours[0].ID}
			v.Neighbours = v.Neighbours[:n]
			r := newRecords(keptCalls, sinceStart())
			inv := &invocation{Request: invoke.Request{CallID: strings.Repeat("0", 32), Function: "resize"}}
			b.ReportAllocs()
			for b.Loop() {
				r.begin(inv)
				r.decided(inv, v, &d)
				r.answered(inv, &invoke.Answer{})
				r.ended(inv, sched.Answered, 0)
			}
		})
	}
}
