package rl

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

func newExternalPolicy(t testing.TB, set map[string]string) *external {
	t.Helper()
	p, err := Policies().New("external", set)
	if err != nil {
		t.Fatal(err)
	}
	return p.(*external)
}

// What every driver relies on, whatever the learner says.
func TestExternalConformance(t *testing.T) {
	for name, set := range map[string]map[string]string{
		"default":   nil,
		"nervous":   {"failures": "1", "pause": "100ms", "types": "3"},
		"few seats": {"peers": "2", "keep": "1s", "rewards": "clients"},
	} {
		t.Run(name, func(t *testing.T) {
			schedtest.Run(t, func(t *testing.T) sched.Policy { return newExternalPolicy(t, set) })
		})
	}
}

// moment is a busy node with two peers, the second less loaded.
func moment() *sched.View {
	return schedtest.View(1, schedtest.Self(1, 3, 50*time.Millisecond),
		schedtest.Neighbour("a", time.Millisecond, 1, 9, 50*time.Millisecond),
		schedtest.Neighbour("b", time.Millisecond, 1, 0, 50*time.Millisecond))
}

// consult has a fresh invocation decided with that advice.
func consult(p *external, v *sched.View, a sched.Advice) sched.Decision {
	r := schedtest.Request()
	d := p.Decide(v, r)
	for ; d.Action == sched.Ask; d = p.Decide(v, r) {
		r.Round, r.Token, r.Advice = r.Round+1, d.Token, a
	}
	return d
}

func advice(action int) sched.Advice { return sched.Advice{OK: true, Action: action, Epsilon: 0.5} }

// lessonsOf takes all that there are.
func lessonsOf(p *external) (list []sched.Lesson) {
	for l, ok := p.Lesson(); ok; l, ok = p.Lesson() {
		l.State = slices.Clone(l.State)
		list = append(list, l)
	}
	return list
}

func TestExternalQuestion(t *testing.T) {
	v, r := moment(), schedtest.Request()
	r.TaskType = 2
	d := newExternalPolicy(t, nil).Decide(v, r)
	want := &sched.Question{State: []float64{2, 1, 2}, Actions: []int{0, 1, 2, 3, 4}, Within: 20 * time.Millisecond}
	if diff := cmp.Diff(want, d.Question); d.Action != sched.Ask || diff != "" {
		t.Errorf("%v: %s", d.Action, diff)
	}
	v.Self.Deployed = false
	v.Neighbours = v.Neighbours[:0]
	if d := newExternalPolicy(t, nil).Decide(v, r); !slices.Equal(d.Question.Actions, []int{0}) {
		t.Errorf("with nobody there it may do %v", d.Question.Actions)
	}
}

// counted tells task types apart.
type counted struct{ sched.Line }

func (counted) Count(kind float64) (running, queued int) { return 1 + int(kind), 10 * int(kind) }

func TestExternalTaskTypes(t *testing.T) {
	v, r := moment(), schedtest.Request()
	p := newExternalPolicy(t, map[string]string{"types": "2"})
	if d := p.Decide(v, r); !slices.Equal(d.Question.State, []float64{0, 1, 0, 2, 0}) {
		t.Errorf("where nobody tells types apart: %v", d.Question.State)
	}
	v.Self.Line = counted{}
	if d := p.Decide(v, r); !slices.Equal(d.Question.State, []float64{0, 1, 2, 0, 10}) {
		t.Errorf("with a census: %v", d.Question.State)
	}
}

func TestExternalActions(t *testing.T) {
	cases := []struct {
		name   string
		change func(*sched.View)
		action int
		want   sched.Action
		peer   peer.ID
		reason sched.Reason
	}{
		{"refuse", nil, 0, sched.Refuse, "", sched.ReasonAdvised},
		{"here", nil, 1, sched.Run, "", sched.ReasonAdvised},
		{"here, but full", func(v *sched.View) { v.Self.Room = false }, 1, sched.Refuse, "", sched.ReasonFull},
		{"probe", nil, 2, sched.Probe, "", sched.ReasonAdvised},
		{"first peer", nil, 3, sched.Forward, "a", sched.ReasonAdvised},
		{"second peer", nil, 4, sched.Forward, "b", sched.ReasonAdvised},
		{"a peer that never was", nil, 5, sched.Forward, "b", sched.ReasonThereSooner},
		{"no action at all", nil, 999, sched.Forward, "b", sched.ReasonThereSooner},
		{"below all", nil, -1, sched.Forward, "b", sched.ReasonThereSooner},
		{"here, but not deployed", func(v *sched.View) { v.Self.Deployed = false }, 1, sched.Forward, "", sched.ReasonNotDeployed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := moment()
			if c.change != nil {
				c.change(v)
			}
			d := consult(newExternalPolicy(t, nil), v, advice(c.action))
			if d.Action != c.want || d.Reason != c.reason || c.peer != "" && d.Peer != c.peer {
				t.Errorf("%v to %q because %v", d.Action, d.Peer, d.Reason)
			}
		})
	}
}

func TestExternalProbe(t *testing.T) {
	for _, c := range []struct {
		probed peer.ID
		want   sched.Action
		reason sched.Reason
	}{{"a", sched.Run, sched.ReasonNoneLess}, {"b", sched.Forward, sched.ReasonLessLoaded}, {"", sched.Run, sched.ReasonNoneLess}} {
		p, v := newExternalPolicy(t, nil), moment()
		d := consult(p, v, advice(2))
		r := schedtest.Request()
		r.Round, r.Token = 2, d.Token
		if c.probed != "" {
			r.Probed = []peer.ID{c.probed}
		}
		d = p.Decide(v, r)
		if d.Action != c.want || d.Reason != c.reason || d.Peer != "" && d.Peer != c.probed {
			t.Errorf("%q answered: %v to %q because %v", c.probed, d.Action, d.Peer, d.Reason)
		}
		p.Observe(sched.Outcome{Request: *r, Decision: d, OnTime: true})
		if l := lessonsOf(p); len(l) != 1 || l[0].Action != 2 || l[0].Reward != 0.99 {
			t.Errorf("lessons %+v", l)
		}
	}
}

// Steps are counted without gaps: what the default decided is none.
func TestExternalLessons(t *testing.T) {
	p, v := newExternalPolicy(t, nil), moment()
	var steps []uint64
	for i, a := range []sched.Advice{advice(1), {}, advice(99), advice(4), advice(7), advice(3)} {
		d := consult(p, v, a)
		if s, ok := p.Step(d.Token); ok {
			steps = append(steps, s.ID)
		}
		o := sched.Outcome{Decision: d, OnTime: i == 0, Result: sched.Answered}
		if i == 5 {
			o.Result = sched.Cancelled
		}
		p.Observe(o)
	}
	if want := []uint64{1, 2, 3}; !slices.Equal(steps, want) {
		t.Errorf("steps %v, want %v", steps, want)
	}
	want := []sched.Lesson{
		{Step: sched.Step{ID: 1, State: []float64{0, 1, 2}, Action: 1, Epsilon: 0.5}, Reward: 1},
		{Step: sched.Step{ID: 2, State: []float64{0, 1, 2}, Action: 4, Epsilon: 0.5}},
		{Step: sched.Step{ID: 3, State: []float64{0, 1, 2}, Action: 3, Epsilon: 0.5}},
	}
	if diff := cmp.Diff(want, lessonsOf(p)); diff != "" {
		t.Error(diff)
	}
}

// An attempt that comes to nothing earns nothing, and the default makes the next.
func TestExternalRetry(t *testing.T) {
	p, v := newExternalPolicy(t, nil), moment()
	d := consult(p, v, advice(3))
	r := schedtest.Request()
	r.Token, r.Visited = d.Token, []peer.ID{d.Peer}
	d = p.Decide(v, r)
	if d.Action != sched.Forward || d.Peer != "b" {
		t.Errorf("%v to %q, want what the default does", d.Action, d.Peer)
	}
	p.Observe(sched.Outcome{Decision: d, OnTime: true})
	if l := lessonsOf(p); len(l) != 1 || l[0].Reward != 0 {
		t.Errorf("lessons %+v", l)
	}
}

func TestExternalRewardsOfClients(t *testing.T) {
	p := newExternalPolicy(t, map[string]string{"rewards": "clients"})
	d := consult(p, moment(), advice(1))
	p.Observe(sched.Outcome{Decision: d, OnTime: true})
	if l := lessonsOf(p); len(l) != 0 {
		t.Errorf("lessons %+v", l)
	}
}

// A learner that fails is left alone, then tried with one question a pause.
func TestExternalBreaker(t *testing.T) {
	p, v := newExternalPolicy(t, map[string]string{"failures": "3", "pause": "1s"}), moment()
	asked := func() bool { return p.Decide(v, schedtest.Request()).Action == sched.Ask }
	for range 3 {
		if p.Learning().State != sched.Learned {
			t.Error("it fell back too early")
		}
		if d := consult(p, v, sched.Advice{}); d.Reason != sched.ReasonThereSooner {
			t.Errorf("%v because %v, want what the default does", d.Action, d.Reason)
		}
	}
	if l := p.Learning(); asked() || l.State != sched.FallbackUnadvised || l.Fallbacks != 1 {
		t.Errorf("it is asked all the same, in state %v after %d fallbacks", l.State, l.Fallbacks)
	}
	v.Now += time.Second
	if d := consult(p, v, advice(77)); d.Action == sched.Ask || asked() {
		t.Error("after one more failure it is asked more than once")
	}
	v.Now += time.Second
	if d := consult(p, v, advice(1)); d.Reason != sched.ReasonAdvised {
		t.Errorf("back again: %v because %v", d.Action, d.Reason)
	}
	if !asked() || p.Learning().State != sched.Learned {
		t.Error("back again, and not asked")
	}
}

// There is no time to ask for what is due soon, and no need for what a peer sent.
func TestExternalDoesNotAsk(t *testing.T) {
	for name, r := range map[string]*sched.Request{
		"due soon": {Function: "work", Deadline: 30 * time.Millisecond},
		"nested":   {Function: "work", Nested: true},
		"of peer":  schedtest.Request("far"),
	} {
		if d := newExternalPolicy(t, nil).Decide(moment(), r); d.Action == sched.Ask {
			t.Errorf("%s: asks", name)
		}
	}
}

// A number means the same peer whoever comes and goes.
func TestSeats(t *testing.T) {
	p := newExternalPolicy(t, map[string]string{"peers": "3", "keep": "1m"})
	at := func(now time.Duration, names ...string) string {
		var list []sched.Neighbour
		for _, name := range names {
			list = append(list, schedtest.Neighbour(name, time.Millisecond, 1, 0, time.Second))
		}
		v := schedtest.View(1, schedtest.Self(1, 3, time.Second), list...)
		v.Now = now
		p.seats.look(v)
		var seats []string
		for _, action := range p.seats.actions(nil, v, schedtest.Request()) {
			seats = append(seats, fmt.Sprintf("%d%s", action, string(p.seats.peer(action))))
		}
		return strings.Join(seats, " ")
	}
	for _, step := range []struct {
		now   time.Duration
		names string
		want  string
	}{
		{0, "b d", "3b 4d"},
		{time.Second, "a b d", "3b 4d 5a"},       // who comes changes nothing
		{2 * time.Second, "a d", "4d 5a"},        // nor who goes
		{3 * time.Second, "a c d", "4d 5a"},      // nobody takes a place that is kept
		{4 * time.Second, "a b c d", "3b 4d 5a"}, // who comes back has it
		{30 * time.Second, "a b", "3b 5a"},
		{90 * time.Second, "a b c", "3b 4c 5a"}, // until it was away for long
		{91 * time.Second, "a b c d", "3b 4c 5a"},
		{3 * time.Hour, "a b c d", "3b 4c 5a"}, // who is in view is in time
		{3*time.Hour + time.Second, "d", ""},
		{4 * time.Hour, "d e", "3d 4e"},
	} {
		if got := at(step.now, strings.Fields(step.names)...); got != step.want {
			t.Errorf("at %v with %s: %q, want %q", step.now, step.names, got, step.want)
		}
	}
}

func TestExternalSnapshot(t *testing.T) {
	p, v := newExternalPolicy(t, nil), moment()
	consult(p, v, advice(1))
	saved, err := p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	q := newExternalPolicy(t, nil)
	if err := q.Restore(saved); err != nil {
		t.Fatal(err)
	}
	v.Neighbours = v.Neighbours[1:] // without a, whose number is kept
	if d := consult(q, v, advice(4)); d.Peer != "b" {
		t.Errorf("action 4 means %q after a restart", d.Peer)
	}
	if q.steps != 2 {
		t.Errorf("%d steps, want the count to go on", q.steps)
	}
	if err := newExternalPolicy(t, map[string]string{"types": "2"}).Restore(saved); err == nil {
		t.Error("a snapshot of another form was taken")
	}
}

func TestExternalDoesNotAllocate(t *testing.T) {
	p, v, r := newExternalPolicy(t, nil), moment(), schedtest.Request()
	once := func() {
		*r = sched.Request{Function: "work", BodySize: -1, Weight: 1}
		d := p.Decide(v, r)
		r.Round, r.Token, r.Advice = 1, d.Token, sched.Advice{OK: true, Action: 1}
		d = p.Decide(v, r)
		p.Observe(sched.Outcome{Decision: d, OnTime: true})
		p.Lesson()
	}
	for range 5000 { // until all memory is there
		once()
	}
	if n := testing.AllocsPerRun(1000, once); n > 0 {
		t.Errorf("%v allocations a decision", n)
	}
}
