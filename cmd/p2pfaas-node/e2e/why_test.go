package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/protocol/control"
)

// refusedPath is three nodes and a call that entered at A, was refused by B,
// which is full and keeps to itself, and ran on C.
func refusedPath(t *testing.T) (a, b, c *nodetest.Process, callID string) {
	t.Helper()
	b = node(t, "tcp", nil, "--servers", "1", "--queue", "0", "--policy", "local")
	c = node(t, "tcp", []*nodetest.Process{b}, "--servers", "1", "--queue", "0")
	a = node(t, "tcp", []*nodetest.Process{b, c})
	for _, p := range []*nodetest.Process{b, c} {
		sees(t, a, p)
		deploy(t, p, "echo", "builtin:echo", []*nodetest.Process{a}, "--weight", "1")
		knows(t, a, p, "echo")
	}
	occupy(t, b)
	for i := range 200 { // A may think of C first, and knows soon that B is full
		resp := post(t, url(a, "echo"), []byte("x"), "X-P2pfaas-Policy", "random")
		_, _ = io.Copy(io.Discard, resp.Body)
		entry, _, _ := strings.Cut(resp.Header.Get("X-P2pfaas-Path"), ",")
		if ran := resp.Header.Get("X-P2pfaas-Peer"); resp.StatusCode == http.StatusOK && ran == c.Peer && strings.Contains(entry, "attempts=2") {
			t.Logf("call %d was refused by B", i)
			return a, b, c, resp.Header.Get("X-Call-Id")
		}
		time.Sleep(10 * time.Millisecond) // lets B's honesty and news recover
	}
	t.Fatal("B was never asked: this tests nothing")
	return
}

// occupy takes the only server of a node until the test ends.
func occupy(t *testing.T, p *nodetest.Process) {
	t.Helper()
	busy, release := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url(p, "echo"), busy)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { // ends with the request, which cancel ends
		defer close(done)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}()
	t.Cleanup(func() { cancel(); release.Close(); <-done })
	if _, err := release.Write([]byte("begun")); err != nil {
		t.Fatal(err)
	}
	nodetest.Eventually(t, "the node is full", func() error {
		if n := p.Metric("p2pfaas_running"); n != 1 {
			return fmt.Errorf("%v running", n)
		}
		return nil
	})
}

// why asks a node about a call.
func why(t *testing.T, p *nodetest.Process, id string) (w control.Why) {
	t.Helper()
	if err := json.Unmarshal([]byte(tool(t, p, "why", id, "-o", "json")), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func account(t *testing.T, w control.Why, of *nodetest.Process) control.Account {
	t.Helper()
	i := slices.IndexFunc(w.Accounts, func(a control.Account) bool { return a.Peer.String() == of.Peer })
	if i < 0 {
		t.Fatalf("no account of %s in %+v", of.Peer, w)
	}
	return w.Accounts[i]
}

func TestWhyIsToldByEachNodeOnThePath(t *testing.T) {
	a, b, c, id := refusedPath(t)
	for name, asked := range map[string]*nodetest.Process{"entry": a, "who refused": b, "who ran it": c} {
		t.Run(name, func(t *testing.T) {
			w := why(t, asked, id)
			if len(w.Accounts) != 3 || w.Accounts[0].Peer.String() != a.Peer {
				t.Fatalf("told by %d nodes, want 3 and the entry first: %+v", len(w.Accounts), w)
			}
			atA := account(t, w, a).Calls[0]
			if atA.Outcome != "answered" || atA.Origin != control.OriginHTTP || atA.Ran.String() != c.Peer || len(atA.Steps) != 2 {
				t.Fatalf("at the entry: %+v", atA)
			}
			first, second := atA.Steps[0], atA.Steps[1]
			if first.Peer.String() != b.Peer || first.Result != "refused" || second.Peer.String() != c.Peer || second.Result != control.ResultOK {
				t.Errorf("its steps: %+v", atA.Steps)
			}
			if len(first.Candidates) != 2 || !first.Candidates[0].Chosen || first.Candidates[0].Peer.String() != b.Peer || first.Candidates[0].Load.Servers != 1 {
				t.Errorf("candidates of the first: %+v", first.Candidates)
			}
			atB := account(t, w, b).Calls[0]
			if atB.Outcome != "refused" || atB.From.String() != a.Peer || atB.Steps[0].Reason != "full" {
				t.Errorf("at B: %+v", atB)
			}
			atC := account(t, w, c).Calls[0]
			if atC.Outcome != "answered" || atC.Ran.String() != c.Peer || atC.Service == 0 || atC.Total > atA.Total {
				t.Errorf("at C: %+v; the whole took %v", atC, atA.Total)
			}
		})
	}
	text := tool(t, b, "why", id)
	t.Logf("\n%s", text)
	at := strings.Index(text, a.Peer+"  entered here over HTTP")
	atB, atC := strings.Index(text, b.Peer+"  came from"), strings.Index(text, c.Peer+"  came from")
	if at < 0 || atB < at || atC < atB {
		t.Errorf("the nodes are not told in the order of the path (%d, %d, %d)", at, atB, atC)
	}
}

func TestWhyNamesSilentNodesInTime(t *testing.T) {
	a, b, c, id := refusedPath(t)
	b.Freeze()
	began := time.Now()
	var w control.Why
	if err := a.Get("/system/why/"+id, &w); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	t.Logf("told after %v", took)
	if took > 10*time.Second { // 2 s where nothing else runs
		t.Errorf("it took %v", took)
	}
	if got := account(t, w, b); got.Trouble != control.TroubleNoAnswer || len(got.Calls) != 0 {
		t.Errorf("of the stopped node: %+v", got)
	}
	if got := account(t, w, c); len(got.Calls) != 1 || got.Trouble != "" {
		t.Errorf("of the other: %+v", got)
	}
	if text := tool(t, a, "why", id); !strings.Contains(text, b.Peer+"  told nothing: no answer in time") {
		t.Errorf("the text does not name the silent node:\n%s", text)
	}
}

func TestCallsAndStatus(t *testing.T) {
	a, b := pair(t, "tcp", "--zone", "rack-1")
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{a})
	resp := post(t, url(a, "echo"), []byte("x"), "X-Call-Id", "my own/ID")
	if got, _ := io.ReadAll(resp.Body); string(got) != "x" {
		t.Fatalf("answer %q", got)
	}
	post(t, url(a, "ecco"), nil).Body.Close()
	for _, p := range []*nodetest.Process{a, b} {
		nodetest.Eventually(t, "the call has ended in the list", func() error {
			text := tool(t, p, "calls", "--function", "echo", "--outcome", "answered")
			if !strings.Contains(text, "my own/ID") {
				return fmt.Errorf("%s", text)
			}
			return nil
		})
	}
	if text := tool(t, a, "calls", "--outcome", "refused"); !strings.Contains(text, "no such function") || strings.Contains(text, "my own/ID") {
		t.Errorf("refused calls:\n%s", text)
	}
	if text := tool(t, b, "why", "my own/ID"); !strings.Contains(text, "entered here over HTTP") {
		t.Errorf("why, asked at B:\n%s", text)
	}
	var s control.Status
	if err := json.Unmarshal([]byte(tool(t, a, "status", "--peer", b.Peer[len(b.Peer)-8:], "-o", "json")), &s); err != nil {
		t.Fatal(err)
	}
	if s.Peer.String() != b.Peer || s.Zone != "rack-1" || s.Members != 1 || s.Up <= 0 || s.Load.Servers == 0 || !slices.Equal(s.Functions, []string{"echo"}) {
		t.Errorf("status of B: %+v", s)
	}
	if text := tool(t, a, "peers"); !strings.Contains(text, "direct/tcp") || !strings.Contains(text, "rack-1") || !bytes.HasSuffix([]byte(strings.Fields(text)[12]), []byte(b.Peer[len(b.Peer)-6:])) {
		t.Errorf("peers:\n%s", text)
	}
}
