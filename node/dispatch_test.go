package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// scripted decides by a list, and remembers what it was shown.
type scripted struct {
	decisions []sched.Decision
	seen      []seen
	outcomes  []sched.Outcome
}

type seen struct {
	self       sched.Self
	neighbours []peer.ID
	request    sched.Request
}

func (s *scripted) Decide(v *sched.View, r *sched.Request) sched.Decision {
	var ids []peer.ID
	for i := range v.Neighbours {
		ids = append(ids, v.Neighbours[i].ID)
	}
	s.seen = append(s.seen, seen{v.Self, ids, *r})
	d := s.decisions[0]
	s.decisions = s.decisions[1:]
	return d
}

func (s *scripted) Observe(o sched.Outcome) { s.outcomes = append(s.outcomes, o) }

// meshOf is a mesh of these peers, all of which run everything.
type meshOf struct {
	peers  []peer.ID
	done   []mesh.Done
	probed []peer.ID
	sought []string
}

func (m *meshOf) Fill(dst []sched.Neighbour, _ string, _ [8]byte) []sched.Neighbour {
	dst = dst[:0]
	for _, p := range m.peers {
		dst = append(dst, sched.Neighbour{ID: p, Health: 1, Honesty: 1, Load: sched.Load{Servers: 1}})
	}
	return dst
}
func (m *meshOf) Utilisation() float64                { return 0 }
func (m *meshOf) Gone(f string) (time.Duration, bool) { return time.Second, f == "gone" }
func (m *meshOf) Idempotent(f string) bool            { return f == "away" }
func (m *meshOf) Runs(f string) bool                  { return f == "away" }
func (m *meshOf) Find(_ context.Context, f string) bool {
	m.sought = append(m.sought, f)
	return false
}
func (m *meshOf) Names() []string { return []string{"away"} }
func (m *meshOf) Probe(_ context.Context, p []peer.ID) []peer.ID {
	m.probed = append(m.probed, p...)
	return p
}
func (m *meshOf) Sent(peer.ID, string, time.Duration) {}
func (m *meshOf) Look(peer.ID, string, [8]byte) (sched.Neighbour, bool) {
	return sched.Neighbour{}, false
}
func (m *meshOf) Distance(peer.ID) time.Duration              { return 0 }
func (m *meshOf) All(dst []sched.Neighbour) []sched.Neighbour { return dst[:0] }
func (m *meshOf) Done(_ peer.ID, d mesh.Done)                 { m.done = append(m.done, d) }

// sent is one attempt at a peer.
type sent struct {
	to   peer.ID
	body string
	hops []peer.ID
	left time.Duration

	avoid []peer.ID
}

// peers answer forwards as the test says.
type peers struct {
	answers map[peer.ID]func(r *invoke.Request, body string) (*invoke.Answer, error)
	sent    []sent
	queued  bool // they say that it waits there
}

func (p *peers) Send(_ context.Context, to peer.ID, r *invoke.Request, from sender) (*invoke.Answer, error) {
	if p.queued && from.progress(false) {
		return nil, &invoke.Error{Code: invoke.CodeTakenBack, Remote: true}
	}
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	p.sent = append(p.sent, sent{to, body, r.Hops, r.Deadline, slices.Clone(r.Avoid)})
	return p.answers[to](r, body)
}

func answers(body string) func(*invoke.Request, string) (*invoke.Answer, error) {
	return func(*invoke.Request, string) (*invoke.Answer, error) {
		return &invoke.Answer{Status: 200, Size: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)), Hops: []invoke.Hop{{Peer: "remote"}}}, nil
	}
}

func fails(err error) func(*invoke.Request, string) (*invoke.Answer, error) {
	return func(*invoke.Request, string) (*invoke.Answer, error) { return nil, err }
}

// echoRuntime runs "fn" by sending back the body.
type echoRuntime struct {
	faas.Runtime
	mu     sync.Mutex
	ran    int
	takes  time.Duration
	failed error
	status faas.Status
}

func (e *echoRuntime) List(context.Context, string) ([]faas.Status, error) {
	return []faas.Status{e.status}, nil
}

func (e *echoRuntime) Invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	e.mu.Lock()
	e.ran++
	e.mu.Unlock()
	select {
	case <-time.After(e.takes):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if e.failed != nil {
		return nil, e.failed
	}
	body := ""
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
	}
	return &faas.Response{Status: 200, Size: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}, nil
}

// bench is a dispatcher with everything around it scripted.
type bench struct {
	*dispatcher
	policy  *scripted
	mesh    *meshOf
	peers   *peers
	runtime *echoRuntime
}

func newBench(t testing.TB, annotations map[string]string, decisions ...sched.Decision) *bench {
	t.Helper()
	b := &bench{
		policy:  &scripted{decisions: decisions},
		mesh:    &meshOf{peers: []peer.ID{"b", "c"}},
		peers:   &peers{answers: map[peer.ID]func(*invoke.Request, string) (*invoke.Answer, error){}},
		runtime: &echoRuntime{status: faas.Status{Function: faas.Function{Name: faas.Name{Function: "fn", Namespace: faas.DefaultNamespace}, Annotations: annotations}, AvailableReplicas: 1}},
	}
	clock := sinceStart()
	b.dispatcher = &dispatcher{
		self: "a", clock: clock, alarms: &alarms{clock: clock}, retry: RetryIdempotent,
		functions: newFunctions(b.runtime), slots: newSlots(slotsConfig{servers: 1, maxOpen: 10, queue: sched.QueueConfig{}}, clock),
		runtime: b.runtime, mesh: b.mesh, client: b.peers, policy: newPolicyBox(sched.Policies()), running: newRunning(), care: newCare(),
		budget: budgetOf(1 << 20), metrics: newMetrics(),
	}
	b.dispatcher.policy.use("scripted", b.policy)
	if err := b.functions.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) call(ctx context.Context, r invoke.Request) (string, *invoke.Answer, error) {
	if r.Function == "" {
		r.Function = "fn"
	}
	body := "body"
	r.Size, r.Body = int64(len(body)), strings.NewReader(body)
	inv := &invocation{Request: r, body: newReplay(r.Body, b.budget), caller: patient{}}
	a, err := b.dispatch(ctx, inv)
	if err != nil {
		return "", nil, err
	}
	got, err := io.ReadAll(a.Body)
	return string(got), a, errors.Join(err, a.Body.Close())
}

func forwardTo(p peer.ID) sched.Decision {
	return sched.Decision{Action: sched.Forward, Peer: p, Reason: sched.ReasonThereSooner}
}

var runHere = sched.Decision{Action: sched.Run, Reason: sched.ReasonFreeServer}

func TestDispatchRunsHere(t *testing.T) {
	b := newBench(t, nil, runHere)
	got, a, err := b.call(t.Context(), invoke.Request{})
	if err != nil || got != "body" {
		t.Fatalf("got %q, %v", got, err)
	}
	if len(a.Hops) != 1 || a.Hops[0].Peer != "a" || a.Hops[0].Policy != "scripted" || sched.Reason(a.Hops[0].Reason) != sched.ReasonFreeServer {
		t.Errorf("hops %+v", a.Hops)
	}
	if len(b.policy.outcomes) != 1 || b.policy.outcomes[0].Result != sched.Answered || !b.policy.outcomes[0].OnTime {
		t.Errorf("outcomes %+v", b.policy.outcomes)
	}
	if l := b.slots.load(); l.Running != 0 {
		t.Errorf("a slot is still held: %+v", l)
	}
	if used := b.budget.used.Load(); used != 0 {
		t.Errorf("%d bytes are still kept for a replay", used)
	}
}

func TestDispatchForwards(t *testing.T) {
	b := newBench(t, nil, forwardTo("b"))
	b.peers.answers["b"] = answers("from b")
	got, a, err := b.call(t.Context(), invoke.Request{Hops: []peer.ID{"x"}})
	if err != nil || got != "from b" {
		t.Fatalf("got %q, %v", got, err)
	}
	if want := []peer.ID{"x", "a"}; !slices.Equal(b.peers.sent[0].hops, want) {
		t.Errorf("sent with hops %v, want %v", b.peers.sent[0].hops, want)
	}
	if len(a.Hops) != 2 || a.Hops[0].Peer != "a" || a.Hops[1].Peer != "remote" {
		t.Errorf("answer's hops %+v, want this node's and then the peer's", a.Hops)
	}
	if b.runtime.ran != 0 {
		t.Error("it ran here too")
	}
}

// Whether an invocation may be tried again is the heart of at-most-once.
func TestDispatchTriesAgain(t *testing.T) {
	refused := &invoke.Error{Code: invoke.CodeRefused, Remote: true}
	unknown := &invoke.Error{Code: invoke.CodeUnknown}
	notReached := fmt.Errorf("dial: %w", invoke.ErrNotReached)
	for _, c := range []struct {
		name   string
		err    error
		repeat bool
		retry  string
		again  bool
	}{
		{"refused, may not repeat", refused, false, RetryIdempotent, true},
		{"not reached, may not repeat", notReached, false, RetryIdempotent, true},
		{"unknown, may not repeat", unknown, false, RetryIdempotent, false},
		{"unknown, may repeat", unknown, true, RetryIdempotent, true},
		{"unknown, may not repeat, retry always", unknown, false, RetryAlways, true},
		{"unknown, may repeat, retry never", unknown, true, RetryNever, false},
		{"refused, retry never", refused, true, RetryNever, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, nil, forwardTo("b"), runHere)
			b.retry = c.retry
			b.peers.answers["b"] = fails(c.err)
			got, _, err := b.call(t.Context(), invoke.Request{MayRepeat: c.repeat})
			if !c.again {
				if err == nil || b.runtime.ran != 0 {
					t.Fatalf("it was tried again: %q, %v", got, err)
				}
				return
			}
			if err != nil || got != "body" {
				t.Fatalf("second attempt: %q, %v; want the whole body again", got, err)
			}
			if visited := b.policy.seen[1].request.Visited; !slices.Contains(visited, peer.ID("b")) {
				t.Errorf("the policy may choose the failed peer again: visited %v", visited)
			}
		})
	}
}

func TestDispatchTakesBackWhatWaitsWhileAServerIsFree(t *testing.T) {
	b := newBench(t, nil, forwardTo("b"), runHere)
	b.peers.queued = true
	if got, _, err := b.call(t.Context(), invoke.Request{}); err != nil || got != "body" || b.runtime.ran != 1 {
		t.Errorf("got %q, %v; want it to run here", got, err)
	}
}

func TestDispatchAnnotationAllowsRepetition(t *testing.T) {
	b := newBench(t, map[string]string{faas.AnnotationIdempotent: "true"}, forwardTo("b"), forwardTo("c"))
	b.peers.answers["b"] = fails(&invoke.Error{Code: invoke.CodeUnknown})
	b.peers.answers["c"] = answers("from c")
	if got, _, err := b.call(t.Context(), invoke.Request{}); err != nil || got != "from c" {
		t.Errorf("got %q, %v", got, err)
	}
}

// What is deployed elsewhere only says there whether it may run twice.
func TestDispatchKnowsFromTheMeshWhatMayRepeat(t *testing.T) {
	b := newBench(t, nil, forwardTo("b"), forwardTo("c"))
	b.peers.answers["b"] = fails(&invoke.Error{Code: invoke.CodeUnknown})
	b.peers.answers["c"] = answers("from c")
	if got, _, err := b.call(t.Context(), invoke.Request{Function: "away"}); err != nil || got != "from c" {
		t.Fatalf("got %q, %v", got, err)
	}
	if avoid := b.peers.sent[1].avoid; !slices.Equal(avoid, []peer.ID{"b"}) {
		t.Errorf("c was told to avoid %v, want who failed: b", avoid)
	}
}

func TestDispatchAvoidsWhoFailedElsewhere(t *testing.T) {
	b := newBench(t, nil, runHere)
	if _, _, err := b.call(t.Context(), invoke.Request{Hops: []peer.ID{"x"}, Avoid: []peer.ID{"b"}}); err != nil {
		t.Fatal(err)
	}
	if visited := b.policy.seen[0].request.Visited; !slices.Equal(visited, []peer.ID{"x", "b"}) {
		t.Errorf("visited %v", visited)
	}
}

func TestDispatchGivesUp(t *testing.T) {
	var script []sched.Decision
	for range maxAttempts + 1 {
		script = append(script, forwardTo("b"))
	}
	b := newBench(t, nil, script...)
	b.peers.answers["b"] = fails(&invoke.Error{Code: invoke.CodeRefused, Remote: true})
	_, _, err := b.call(t.Context(), invoke.Request{})
	if codeOf(err) != invoke.CodeRefused || len(b.peers.sent) != maxAttempts {
		t.Errorf("after %d attempts: %v", len(b.peers.sent), err)
	}
	var e *invoke.Error
	if errors.As(err, &e); len(e.Hops) != 2 || e.Hops[0].Peer != "a" || e.Hops[0].Attempts != maxAttempts || e.Hops[1].Peer != "b" {
		t.Errorf("the error's path is %+v", e.Hops)
	}
	if len(b.policy.outcomes) != 1 || b.policy.outcomes[0].Result != sched.Refused {
		t.Errorf("outcomes %+v", b.policy.outcomes)
	}
}

func TestDispatchProbes(t *testing.T) {
	b := newBench(t, nil, sched.Decision{Action: sched.Probe, Probes: []peer.ID{"b", "c"}}, forwardTo("c"))
	b.peers.answers["c"] = answers("x")
	if _, _, err := b.call(t.Context(), invoke.Request{}); err != nil {
		t.Fatal(err)
	}
	second := b.policy.seen[1].request
	if second.Round != 1 || !slices.Equal(second.Probed, []peer.ID{"b", "c"}) {
		t.Errorf("after the probes the policy saw round %d, probed %v", second.Round, second.Probed)
	}
}

func TestDispatchPolicyWithoutEnd(t *testing.T) {
	var script []sched.Decision
	for range sched.MaxRounds {
		script = append(script, sched.Decision{Action: sched.Probe, Probes: []peer.ID{"b"}})
	}
	b := newBench(t, nil, script...)
	if got, a, err := b.call(t.Context(), invoke.Request{}); err != nil || got != "body" || sched.Reason(a.Hops[0].Reason) != sched.ReasonMaxRounds {
		t.Errorf("got %q, %v; want it to run here", got, err)
	}
}

func TestDispatchDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil, runHere)
		b.runtime.takes = 5 * time.Second
		began := time.Now()
		_, _, err := b.call(t.Context(), invoke.Request{Deadline: 200 * time.Millisecond})
		if codeOf(err) != invoke.CodeDeadline || time.Since(began) != 200*time.Millisecond {
			t.Errorf("after %v: %v; want deadline exceeded after 200ms", time.Since(began), err)
		}
		if l := b.slots.load(); l.Running != 0 {
			t.Errorf("a slot is still held: %+v", l)
		}
	})
}

func TestDispatchDeadlineShrinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil, sched.Decision{Action: sched.Wait, Delay: 300 * time.Millisecond}, forwardTo("b"))
		b.peers.answers["b"] = answers("x")
		if _, _, err := b.call(t.Context(), invoke.Request{Deadline: time.Second}); err != nil {
			t.Fatal(err)
		}
		if left := b.peers.sent[0].left; left != 700*time.Millisecond {
			t.Errorf("the peer was given %v, want what is left: 700ms", left)
		}
	})
}

func TestDispatchCallerGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil, runHere)
		b.runtime.takes = time.Minute
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, _, err := b.call(ctx, invoke.Request{MayRepeat: true})
		if codeOf(err) != invoke.CodeCancelled || b.runtime.ran != 1 {
			t.Errorf("ran %d times: %v; want cancelled, once", b.runtime.ran, err)
		}
	})
}

func TestDispatchUnknownFunction(t *testing.T) {
	b := newBench(t, nil)
	_, _, err := b.call(t.Context(), invoke.Request{Function: "nope"})
	if codeOf(err) != invoke.CodeNoFunction {
		t.Fatalf("%v, want no such function", err)
	}
	if !slices.Equal(b.mesh.sought, []string{"nope"}) {
		t.Errorf("sought beyond the neighbours: %v", b.mesh.sought)
	}
	_, _, err2 := b.call(t.Context(), invoke.Request{Function: "nope", Hops: []peer.ID{"before"}})
	if codeOf(err2) != invoke.CodeNoFunction || len(b.mesh.sought) != 1 {
		t.Errorf("passed on to us: %v, sought %v; who passed it on can seek by itself", err2, b.mesh.sought)
	}
	for _, name := range []string{"nope", "fn", "away"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not mention %q", err, name)
		}
	}
}

// A node that restarts must not make its functions look removed.
func TestDispatchFunctionWhoseNodeHasGone(t *testing.T) {
	b := newBench(t, nil)
	if _, _, err := b.call(t.Context(), invoke.Request{Function: "gone"}); codeOf(err) != invoke.CodeUnavailable {
		t.Errorf("%v, want unavailable", err)
	}
}

func TestDispatchFunctionElsewhereOnly(t *testing.T) {
	b := newBench(t, nil, forwardTo("b"))
	b.peers.answers["b"] = answers("x")
	if _, _, err := b.call(t.Context(), invoke.Request{Function: "away"}); err != nil {
		t.Fatal(err)
	}
	if b.policy.seen[0].self.Deployed {
		t.Error("the policy was told that it is deployed here")
	}
}

func TestDispatchKeepsHome(t *testing.T) {
	b := newBench(t, map[string]string{faas.AnnotationMesh: "off"}, runHere)
	if _, _, err := b.call(t.Context(), invoke.Request{}); err != nil {
		t.Fatal(err)
	}
	if n := b.policy.seen[0].neighbours; len(n) != 0 {
		t.Errorf("the policy may send it to %v", n)
	}
}

func TestDispatchLocalFailure(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		code invoke.Code
	}{
		{"function gone", faas.ErrNotFound, invoke.CodeNoFunction},
		{"runtime down", faas.ErrUnavailable, invoke.CodeUnavailable},
		{"connection lost while it ran", io.ErrUnexpectedEOF, invoke.CodeFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, nil, runHere, sched.Decision{Action: sched.Refuse, Reason: sched.ReasonNotDeployed})
			b.runtime.failed = c.err
			_, _, err := b.call(t.Context(), invoke.Request{})
			if c.code == invoke.CodeFailed {
				if codeOf(err) != c.code || len(b.policy.seen) != 1 {
					t.Errorf("%v after %d decisions, want %v and no second attempt", err, len(b.policy.seen), c.code)
				}
				return
			}
			if len(b.policy.seen) != 2 || b.policy.seen[1].self.Deployed {
				t.Errorf("%d decisions; want a second one, in which this node is no option", len(b.policy.seen))
			}
		})
	}
}
