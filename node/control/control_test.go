package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// records is what one node keeps.
type records []control.Call

func (r records) Find(id string) (found []control.Call) {
	for _, c := range r {
		if c.ID == id {
			found = append(found, c)
		}
	}
	return found
}

func (r records) Recent(most int, keep func(*control.Call) bool) (found []control.Call) {
	for i := range r {
		if keep(&r[i]) && len(found) < most {
			found = append(found, r[i])
		}
	}
	return found
}

// net is nodes that ask each other, and how each of them fails.
type net struct {
	nodes  map[peer.ID]*Handlers
	failed map[peer.ID]error

	mu    sync.Mutex
	asked []string
}

// asker is the net as one of its nodes sees it.
type asker struct {
	*net
	self peer.ID
}

var errSilent = errors.New("silent")

func (a asker) Why(ctx context.Context, p peer.ID, q control.WhyQuery) (control.Why, error) {
	a.mu.Lock()
	a.asked = append(a.asked, string(a.self+p))
	a.mu.Unlock()
	if err := a.failed[p]; errors.Is(err, errSilent) {
		<-ctx.Done()
		return control.Why{}, ctx.Err()
	} else if err != nil {
		return control.Why{}, err
	}
	w, err := a.nodes[p].Protocol().Why(ctx, a.self, q)
	if errors.Is(err, control.ErrNotFound) {
		err = &control.Error{Code: control.CodeNotFound}
	}
	return w, err
}

func (a asker) Status(context.Context, peer.ID) (control.Status, error) {
	return control.Status{}, errors.New("unused")
}

func newNet(kept map[peer.ID]records, failed map[peer.ID]error) *net {
	n := &net{nodes: map[peer.ID]*Handlers{}, failed: failed}
	for p, r := range kept {
		n.nodes[p] = New(Config{Self: p, Records: r, Ask: asker{n, p}})
	}
	return n
}

// call is one that came over these hops and was forwarded to those peers.
func call(hops string, to ...string) control.Call {
	c := control.Call{ID: "id", Origin: control.OriginHTTP}
	for _, p := range hops {
		c.Hops = append(c.Hops, peer.ID(string(p)))
		c.From, c.Origin = peer.ID(string(p)), control.OriginPeer
	}
	for _, p := range to {
		c.Steps = append(c.Steps, control.Step{Action: "forward", Peer: peer.ID(p), Result: control.ResultOK})
	}
	return c
}

func ran(on string, c control.Call) control.Call {
	c.Ran = peer.ID(on)
	return c
}

func TestWhyFindsThePath(t *testing.T) {
	for _, test := range []struct {
		name   string
		kept   map[peer.ID]records
		failed map[peer.ID]error
		from   peer.ID
		want   string // who told how many calls, or the trouble
	}{
		{"alone", map[peer.ID]records{"a": {call("")}}, nil, "a", "a1"},
		{"from the entry", map[peer.ID]records{"a": {call("", "b")}, "b": {call("a", "c")}, "c": {call("ab")}}, nil, "a", "a1 b1 c1"},
		{"from the end", map[peer.ID]records{"a": {call("", "b")}, "b": {call("a", "c")}, "c": {call("ab")}}, nil, "c", "a1 b1 c1"},
		{"a sibling, through the entry", map[peer.ID]records{"a": {call("", "b", "c")}, "b": {call("a")}, "c": {call("a")}}, nil, "c", "a1 c1 b1"},
		{"twice on one node", map[peer.ID]records{"a": {call("", "b", "c")}, "b": {call("a"), call("ac")}, "c": {call("a", "b")}}, nil, "a", "a1 b2 c1"},
		{"silent in between, but who answered is known",
			map[peer.ID]records{"a": {ran("c", call("", "b"))}, "b": {}, "c": {call("ab")}}, map[peer.ID]error{"b": errSilent}, "a", "a1 c1 b:no-answer"},
		{"silent behind another", map[peer.ID]records{"a": {call("", "b")}, "b": {call("a", "c")}, "c": {}}, map[peer.ID]error{"c": errSilent}, "a", "a1 b1 c:no-answer"},
		{"forgotten", map[peer.ID]records{"a": {call("", "b")}, "b": {}}, nil, "a", "a1 b:forgotten"},
		{"not connected", map[peer.ID]records{"a": {call("", "b")}, "b": {}}, map[peer.ID]error{"b": fmt.Errorf("x: %w", control.ErrNotReached)}, "a", "a1 b:not-reached"},
		{"older version", map[peer.ID]records{"a": {call("", "b")}, "b": {}}, map[peer.ID]error{"b": &control.Error{Code: control.CodeUnknownRequest}}, "a", "a1 b:not-served"},
		{"denied", map[peer.ID]records{"a": {call("", "b")}, "b": {}}, map[peer.ID]error{"b": &control.Error{Code: control.CodeDenied}}, "a", "a1 b:denied"},
		{"nonsense", map[peer.ID]records{"a": {call("", "b")}, "b": {}}, map[peer.ID]error{"b": control.ErrBadReply}, "a", "a1 b:failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNet(test.kept, test.failed)
				began := time.Now()
				w, err := n.nodes[test.from].why(t.Context(), control.WhyQuery{CallID: "id", Budget: whyLimit}, all)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, a := range w.Accounts {
					if a.Trouble != "" {
						got = append(got, fmt.Sprintf("%s:%s", string(a.Peer), a.Trouble))
					} else {
						got = append(got, fmt.Sprintf("%s%d", string(a.Peer), len(a.Calls)))
					}
				}
				if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
					t.Error(diff)
				}
				if took := time.Since(began); took > whyLimit {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// Nobody asks a node twice, and near nodes are asked by one only.
func TestWhyAsksSparingly(t *testing.T) {
	n := newNet(map[peer.ID]records{
		"a": {ran("d", call("", "b", "c"))}, "b": {call("a", "c")}, "c": {call("a", "d"), call("ab")}, "d": {ran("d", call("ac"))},
	}, nil)
	synctest.Test(t, func(t *testing.T) {
		if _, err := n.nodes["a"].why(t.Context(), control.WhyQuery{CallID: "id", Budget: whyLimit}, all); err != nil {
			t.Fatal(err)
		}
	})
	slices.Sort(n.asked)
	if diff := cmp.Diff([]string{"ab", "ac", "ad", "cd"}, n.asked); diff != "" {
		t.Error(diff)
	}
}

// A peer sees the calls that it had to do with.
func TestPeersSeeTheirOwnCalls(t *testing.T) {
	sdk := control.Call{ID: "sdk", Origin: control.OriginSDK, From: "x"}
	passed, other := call("xy", "z"), call("y")
	other.ID = "other"
	h := New(Config{Self: "a", Records: records{sdk, passed, other}, Ask: asker{newNet(nil, nil), "a"}, Operator: func(_ context.Context, p peer.ID) bool { return p == "boss" }})
	for p, want := range map[peer.ID]string{"x": "sdk id", "y": "id other", "z": "id", "w": "", "boss": "sdk id other"} {
		list, err := h.Protocol().Calls(t.Context(), p, control.CallsQuery{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range list {
			got = append(got, c.ID)
			if _, err := h.Protocol().Why(t.Context(), p, control.WhyQuery{CallID: c.ID}); err != nil {
				t.Errorf("%s may list %s but not read it: %v", string(p), c.ID, err)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s sees %q, want %q", string(p), got, want)
		}
	}
	if _, err := h.Protocol().Why(t.Context(), "w", control.WhyQuery{CallID: "id"}); !errors.Is(err, control.ErrNotFound) {
		t.Errorf("a stranger to the call: %v, want that nothing is found", err)
	}
}

func TestFind(t *testing.T) {
	one, two := peer.ID("\x00\x01AAAAAAAAAAAAAAAA1"), peer.ID("\x00\x01BBBBBBBBBBBBBBBB1")
	h := New(Config{Self: one, Peers: func() []mesh.PeerStatus { return []mesh.PeerStatus{{ID: two}} }})
	s := two.String()
	for _, c := range []struct {
		name string
		want peer.ID
		text string
	}{
		{s[len(s)-8:], two, ""},
		{one.String()[4:], one, ""},
		{s[len(s)-5:], "", "the last 6 characters"},
		{"nobody", "", "0 of the peers"},
	} {
		got, err := h.find(c.name)
		if got != c.want || (err == nil) != (c.text == "") || err != nil && (!errors.Is(err, errNoPeer) || !strings.Contains(err.Error(), c.text)) {
			t.Errorf("%s: %q, %v", c.name, string(got), err)
		}
	}
}
