package control

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/test"
	"github.com/libp2p/go-msgio/pbio"
	"google.golang.org/protobuf/proto"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"
)

// sampleCall has a value in each field.
func sampleCall(t testing.TB) Call {
	ids := make([]peer.ID, 4)
	for i := range ids {
		ids[i] = test.RandPeerIDFatal(t)
	}
	busy := Busy{Wait: 140 * time.Millisecond, Running: 4, Queued: 3, Servers: 4}
	return Call{
		ID: "my own/\xff ID", Function: "resize.lab", Origin: OriginPeer, From: ids[0], Hops: ids[:2], Ran: ids[2], Policy: "spread",
		Outcome: "answered", Code: "cut-short", Began: time.Now().Add(-time.Minute),
		Decide: 1 * time.Microsecond, Probe: 2 * time.Microsecond, Queue: 3 * time.Microsecond, Service: 4 * time.Microsecond, Total: 5 * time.Second,
		Steps: []Step{{
			At: time.Millisecond, Action: "forward", Reason: "there-sooner", Peer: ids[3], Here: .14, There: 1e9, Own: busy, InAll: 12, Result: ResultOK, Took: time.Second,
			Candidates: []Candidate{{Peer: ids[3], Load: busy, Age: 35 * time.Millisecond, RTT: 2 * time.Millisecond, OwnSends: 1, Health: .5, Honesty: .25, Chosen: true, Probed: true}},
		}, {Action: "run", Reason: "free-server"}},
	}
}

// sinceBegan compares the times that are told as an age.
var sinceBegan = cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < limit })

func TestWhyAndCallsCrossTheWire(t *testing.T) {
	call := sampleCall(t)
	q := WhyQuery{CallID: call.ID, Budget: 1500 * time.Millisecond, Asked: call.Hops}
	list := CallsQuery{Function: "resize.lab", Outcome: "answered", Limit: 7}
	why := Why{CallID: call.ID, Accounts: []Account{{Peer: call.Ran, Calls: []Call{call, call}}, {Peer: call.From, Trouble: TroubleNoAnswer}}}
	client, server := pair(t, Handlers{
		Why: func(_ context.Context, _ peer.ID, got WhyQuery) (Why, error) {
			if diff := cmp.Diff(q, got); diff != "" {
				return Why{}, errors.New(diff)
			}
			return why, nil
		},
		Calls: func(_ context.Context, _ peer.ID, got CallsQuery) ([]Call, error) {
			if got != list {
				return nil, fmt.Errorf("%+v", got)
			}
			return []Call{call}, nil
		},
	}, gate{host.VerbRead})
	c := NewClient(client)
	got, err := c.Why(t.Context(), server.ID(), q)
	if diff := cmp.Diff(why, got, sinceBegan); err != nil || diff != "" {
		t.Errorf("error %v, -want +got:\n%s", err, diff)
	}
	calls, err := c.Calls(t.Context(), server.ID(), list)
	if diff := cmp.Diff([]Call{call}, calls, sinceBegan); err != nil || diff != "" {
		t.Errorf("error %v, -want +got:\n%s", err, diff)
	}
}

func TestStatusCrossesTheWire(t *testing.T) {
	want := Status{
		Version: "v1.2.3", Mesh: "home", Zone: "rack-1", Arch: "arm64", Policy: "spread", Up: 400 * 24 * time.Hour,
		Load: Busy{Wait: time.Second, Running: 1, Queued: 2, Servers: 3}, Rate: 2.5, Out: .5, MeshUtilisation: .75,
		Neighbours: 3, Members: 5, Draining: true, Functions: []string{"a", "b.lab"},
	}
	client, server := pair(t, Handlers{Status: func(context.Context, peer.ID) (Status, error) { return want, nil }}, gate{host.VerbDiscover})
	got, err := NewClient(client).Status(t.Context(), server.ID())
	want.Peer = server.ID()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, -want +got:\n%s", err, diff)
	}
}

// Each request takes its own verb, and failures have their codes.
func TestVerbsAndCodes(t *testing.T) {
	handlers := func(err error) Handlers {
		return Handlers{
			Why:    func(context.Context, peer.ID, WhyQuery) (Why, error) { return Why{}, err },
			Calls:  func(context.Context, peer.ID, CallsQuery) ([]Call, error) { return nil, err },
			Status: func(context.Context, peer.ID) (Status, error) { return Status{}, err },
		}
	}
	for _, c := range []struct {
		name    string
		verb    host.Verb
		err     error
		request *controlpb.Request
		want    Code
	}{
		{"why without read", host.VerbDiscover, nil, &controlpb.Request{What: &controlpb.Request_Why{}}, CodeDenied},
		{"calls without read", host.VerbDiscover, nil, &controlpb.Request{What: &controlpb.Request_Calls{}}, CodeDenied},
		{"status without discover", host.VerbRead, nil, &controlpb.Request{What: &controlpb.Request_Status{}}, CodeDenied},
		{"why", host.VerbRead, nil, &controlpb.Request{What: &controlpb.Request_Why{}}, CodeOK},
		{"not found", host.VerbRead, fmt.Errorf("x: %w", ErrNotFound), &controlpb.Request{What: &controlpb.Request_Why{}}, CodeNotFound},
		{"failed", host.VerbDiscover, errors.New("x"), &controlpb.Request{What: &controlpb.Request_Status{}}, CodeInternal},
		{"long call ID", host.VerbRead, nil, &controlpb.Request{What: &controlpb.Request_Why{Why: &controlpb.WhyRequest{CallId: make([]byte, MaxCallID+1)}}}, CodeBadRequest},
		{"no word", host.VerbRead, nil, &controlpb.Request{What: &controlpb.Request_Calls{Calls: &controlpb.CallsRequest{Outcome: "\x1b"}}}, CodeBadRequest},
	} {
		s := &Server{handlers: handlers(c.err), gate: gate{c.verb}}
		if got := Code(s.answer(t.Context(), "p", c.request).GetCode()); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestClientDistrustsAccounts(t *testing.T) {
	call := sampleCall(t)
	account := func(change func(*controlpb.Account)) *controlpb.Reply {
		a := &controlpb.Account{Peer: []byte(call.From), Calls: protoCalls([]Call{call})}
		change(a)
		return &controlpb.Reply{What: &controlpb.Reply_Why{Why: &controlpb.WhyReply{Accounts: []*controlpb.Account{a}}}}
	}
	for name, reply := range map[string]*controlpb.Reply{
		"another reply":  {What: &controlpb.Reply_Status{Status: &controlpb.StatusReply{}}},
		"nobody":         account(func(a *controlpb.Account) { a.Peer = nil }),
		"no peer ID":     account(func(a *controlpb.Account) { a.Peer = []byte("x") }),
		"no word":        account(func(a *controlpb.Account) { a.Trouble = "\x1b[2J" }),
		"long word":      account(func(a *controlpb.Account) { a.Calls[0].Outcome = strings.Repeat("a", 33) }),
		"no label":       account(func(a *controlpb.Account) { a.Calls[0].Function = "\x1b[2J" }),
		"too many calls": account(func(a *controlpb.Account) { a.Calls = make([]*controlpb.Call, MaxTold+1) }),
		"too many steps": account(func(a *controlpb.Account) { a.Calls[0].Steps = make([]*controlpb.Step, MaxSteps+1) }),
		"too many others": account(func(a *controlpb.Account) {
			a.Calls[0].Steps[0].Candidates = make([]*controlpb.Candidate, MaxCandidates+1)
		}),
		"an empty hop": account(func(a *controlpb.Account) { a.Calls[0].Hops = [][]byte{nil} }),
	} {
		client, server := newHost(t), newHost(t)
		server.SetStreamHandler(ID, func(s network.Stream) {
			_ = pbio.NewDelimitedWriter(s).WriteMsg(reply)
			_ = s.Close()
		})
		if err := client.Connect(t.Context(), peer.AddrInfo{ID: server.ID(), Addrs: server.Addrs()}); err != nil {
			t.Fatal(err)
		}
		if _, err := NewClient(client).Why(t.Context(), server.ID(), WhyQuery{CallID: "x"}); !errors.Is(err, ErrBadReply) {
			t.Errorf("%s: error %v, want ErrBadReply", name, err)
		}
	}
}

func TestUnreachedPeer(t *testing.T) {
	client := newHost(t)
	if _, err := NewClient(client).Status(t.Context(), test.RandPeerIDFatal(t)); !errors.Is(err, ErrNotReached) {
		t.Errorf("error %v, want ErrNotReached", err)
	}
}

// fuzzDecoder checks that what is accepted comes out the same when it is told on.
func fuzzDecoder[M proto.Message, T any](f *testing.F, empty func() M, parse func(M) (T, error), tell func(*T) M, check func(*T) bool) {
	f.Fuzz(func(t *testing.T, b []byte) {
		m := empty()
		if proto.Unmarshal(b, m) != nil {
			return
		}
		got, err := parse(m)
		if err != nil {
			if !errors.Is(err, ErrBadReply) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if !check(&got) {
			t.Fatalf("beyond the limits: %+v", got)
		}
		again, err := parse(tell(&got))
		if diff := cmp.Diff(got, again, sinceBegan); err != nil || diff != "" {
			t.Fatalf("error %v, -first +again:\n%s", err, diff)
		}
	})
}

func seed(f *testing.F, m proto.Message) {
	b, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
}

func FuzzParseWhy(f *testing.F) {
	call := sampleCall(f)
	seed(f, (&Why{Accounts: []Account{{Peer: call.From, Calls: []Call{call}}, {Peer: call.Ran, Trouble: TroubleDenied}}}).proto())
	parse := func(m *controlpb.WhyReply) (Why, error) { return parseWhy("id", m) }
	fuzzDecoder(f, func() *controlpb.WhyReply { return &controlpb.WhyReply{} }, parse, (*Why).proto, func(w *Why) bool {
		for _, a := range w.Accounts {
			for _, c := range a.Calls {
				for _, s := range c.Steps {
					if math.IsNaN(s.Here) || math.IsInf(s.There, 0) || len(s.Candidates) > MaxCandidates {
						return false
					}
				}
				if len(c.ID) > MaxCallID || len(c.Steps) > MaxSteps || len(c.Hops) > MaxHops || printable(c.Function) != c.Function {
					return false
				}
			}
		}
		return len(w.Accounts) <= MaxAccounts
	})
}

func FuzzParseStatus(f *testing.F) {
	seed(f, (&Status{Version: "v1", Functions: []string{"a"}, Rate: 1}).proto())
	fuzzDecoder(f, func() *controlpb.StatusReply { return &controlpb.StatusReply{} }, parseStatus, (*Status).proto, func(s *Status) bool {
		return s.Rate >= 0 && s.Up >= 0 && s.MeshUtilisation <= 1 && printable(s.Version) == s.Version
	})
}

func FuzzParseWhyQuery(f *testing.F) {
	seed(f, (&WhyQuery{CallID: "id", Budget: time.Second, Asked: sampleCall(f).Hops}).proto())
	fuzzDecoder(f, func() *controlpb.WhyRequest { return &controlpb.WhyRequest{} }, parseWhyQuery, (*WhyQuery).proto, func(q *WhyQuery) bool {
		return q.Budget >= 0 && q.Budget <= maxBudget && len(q.Asked) <= MaxAsked && len(q.CallID) <= MaxCallID
	})
}
