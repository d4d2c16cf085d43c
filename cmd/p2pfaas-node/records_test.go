package main

import (
	"bytes"
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/faas/api"
	nodecontrol "github.com/p2pfaas/p2pfaas/node/control"
	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/control"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update writes it anew): %s", file, diff)
	}
}

// Peers of the stories below; two of them end alike.
const (
	peerA = "12D3KooWPvgWNnrZiUKkPhcSXrUM3SU4KgSCZUxArozJTrMVxUMc"
	peerB = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
	peerC = "12D3KooWJRJPYcVP4qMWwTEMKyHxuKz5dGPqmUg5AiYkQePvDPzm"
	peerD = "12D3KooWSTegZy7JiiB4zYHuZdoT1RP6T1ZDyRzdyNkq6XRDsXKg"
)

func decoded(t *testing.T, s string) peer.ID {
	t.Helper()
	id, err := peer.Decode(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

const ms = time.Millisecond

// story is a call that entered at A, was refused by B, ran on C, and about which
// D, which C asked in vain, tells nothing.
func story(t *testing.T, began time.Time) control.Why {
	a, b, c, d := decoded(t, peerA), decoded(t, peerB), decoded(t, peerC), decoded(t, peerD)
	full := control.Busy{Wait: 140 * ms, Running: 4, Queued: 3, Servers: 4}
	idle := control.Busy{Running: 1, Servers: 4}
	candidates := func(chosen peer.ID, ids ...peer.ID) (list []control.Candidate) {
		for i, id := range ids {
			list = append(list, control.Candidate{Peer: id, Load: idle, Age: time.Duration(35+i) * ms, RTT: 2 * ms, OwnSends: i, Health: 1, Honesty: .98, Chosen: id == chosen})
		}
		return list
	}
	return control.Why{CallID: "5f0c2a", Accounts: []control.Account{
		{Peer: a, Calls: []control.Call{{
			ID: "5f0c2a", Function: "resize", Origin: control.OriginHTTP, Ran: c, Policy: "spread", Outcome: "answered", Began: began,
			Decide: 200 * time.Microsecond, Total: 152 * ms,
			Steps: []control.Step{
				{Action: "forward", Peer: b, Reason: "there-sooner", Here: .14, There: .012, Own: full, Candidates: candidates(b, b, c), InAll: 12, Result: "refused", Took: 3 * ms},
				{At: 3 * ms, Action: "forward", Peer: c, Reason: "no-room-here", There: .0135, Own: full, Candidates: candidates(c, c), InAll: 1, Result: control.ResultOK, Took: 148 * ms},
			},
		}}},
		{Peer: b, Calls: []control.Call{{
			ID: "5f0c2a", Function: "resize", Origin: control.OriginPeer, From: a, Hops: []peer.ID{a}, Policy: "local", Outcome: "refused", Code: "refused",
			Began: began, Total: ms, Steps: []control.Step{{Action: "refuse", Reason: "full", Own: full, Result: "refused"}},
		}}},
		{Peer: c, Calls: []control.Call{{
			ID: "5f0c2a", Function: "resize", Origin: control.OriginPeer, From: a, Hops: []peer.ID{a}, Ran: c, Policy: "power-of-n", Outcome: "answered",
			Began: began, Decide: 21 * ms, Probe: 20 * ms, Queue: 2 * ms, Service: 100 * ms, Total: 145 * ms,
			Steps: []control.Step{
				{Action: "probe", Reason: "probing", Own: full, Candidates: candidates(d, d), InAll: 1},
				{At: 20 * ms, Action: "forward", Peer: d, Reason: "less-loaded", Here: 7, There: 1, Own: full, Candidates: candidates(d, d), InAll: 1, Result: control.ResultNotReached, Took: ms},
				{At: 21 * ms, Action: "run", Reason: "only-here", Own: full, Result: control.ResultOK, Took: 120 * ms},
			},
		}}},
		{Peer: d, Trouble: control.TroubleNoAnswer},
	}}
}

func TestWhyText(t *testing.T) {
	why := story(t, time.Date(2030, 1, 2, 3, 4, 5, 0, time.Local))
	var out bytes.Buffer
	if err := printWhy(&out, &why); err != nil {
		t.Fatal(err)
	}
	golden(t, "why.txt", out.String())
}

// Nodes are told in the order of the path, even where they come in another, or
// one is missing.
func TestVisits(t *testing.T) {
	a, b, c, d := peer.ID("a"), peer.ID("b"), peer.ID("c"), peer.ID("d")
	call := func(hops []peer.ID, to ...peer.ID) control.Call {
		k := control.Call{Hops: hops}
		for _, p := range to {
			k.Steps = append(k.Steps, control.Step{Peer: p})
		}
		return k
	}
	for _, test := range []struct {
		name     string
		accounts []control.Account
		want     string
	}{
		{"twice on one node", []control.Account{
			{Peer: a, Calls: []control.Call{call(nil, b, c)}},
			{Peer: b, Calls: []control.Call{call([]peer.ID{a}), call([]peer.ID{a, c})}},
			{Peer: c, Calls: []control.Call{call([]peer.ID{a}, b)}},
		}, "a0 b1 c1 b2"},
		{"depth first", []control.Account{
			{Peer: a, Calls: []control.Call{call(nil, b, d)}}, {Peer: b, Calls: []control.Call{call([]peer.ID{a}, c)}},
			{Peer: d, Calls: []control.Call{call([]peer.ID{a})}}, {Peer: c, Calls: []control.Call{call([]peer.ID{a, b})}},
		}, "a0 b1 c2 d1"},
		{"silent in between", []control.Account{
			{Peer: a, Calls: []control.Call{call(nil, b)}}, {Peer: c, Calls: []control.Call{call([]peer.ID{a, b})}}, {Peer: b, Trouble: "no-answer"},
		}, "a0 c2"},
		{"an ID used twice", []control.Account{{Peer: a, Calls: []control.Call{call(nil), call(nil)}}}, "a0 a0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, v := range visits(&control.Why{Accounts: test.accounts}) {
				got = append(got, string(v.peer)+string(rune('0'+len(v.call.Hops))))
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNames(t *testing.T) {
	names := namesOf("", decoded(t, peerA), decoded(t, peerB), decoded(t, peerB))
	if a, b := names[decoded(t, peerA)], names[decoded(t, peerB)]; a != "…MVxUMc" || b != "…x6nXTN" || names[""] != "-" {
		t.Errorf("%q", names)
	}
	alike := namesOf("\x00\x01A0000000000000", "\x00\x01B0000000000000")
	if alike["\x00\x01A0000000000000"] == alike["\x00\x01B0000000000000"] {
		t.Errorf("two peers have one name: %q", alike)
	}
	for in, want := range map[string]string{"abc-1": "abc-1", "\x1b[2J": `"\x1b[2J"`, "a b": "a b", "\xff": `"\xff"`} {
		if got := shown(in); got != want {
			t.Errorf("shown(%q) = %s, want %s", in, got, want)
		}
	}
}

// kept is what a node keeps, for the handlers that real nodes answer with.
type kept struct{ why control.Why }

func (k kept) Find(id string) []control.Call {
	if id != k.why.CallID {
		return nil
	}
	return k.why.Accounts[0].Calls
}

func (k kept) Recent(most int, keep func(*control.Call) bool) []control.Call {
	found := []control.Call{}
	for i := range k.why.Accounts {
		for _, c := range k.why.Accounts[i].Calls {
			if keep(&c) && len(found) < most {
				found = append(found, c)
			}
		}
	}
	return found
}

func (k kept) Why(_ context.Context, p peer.ID, _ control.WhyQuery) (control.Why, error) {
	for _, a := range k.why.Accounts {
		if a.Peer == p {
			return control.Why{Accounts: []control.Account{a}}, nil
		}
	}
	return control.Why{}, control.ErrNotReached
}

func (k kept) Status(_ context.Context, p peer.ID) (control.Status, error) {
	if p == k.why.Accounts[1].Peer {
		return control.Status{Peer: p, Version: "v2", Load: control.Busy{Servers: 2}}, nil
	}
	return control.Status{}, control.ErrNotReached
}

// recordsNode serves the records of the story as A would.
func recordsNode(t *testing.T) (url string) {
	t.Helper()
	cleanEnviron(t)
	k := kept{story(t, time.Date(2030, 1, 2, 3, 4, 5, 0, time.Local))}
	h := nodecontrol.New(nodecontrol.Config{
		Self: k.why.Accounts[0].Peer, Records: k, Ask: k,
		Status: func() control.Status {
			return control.Status{
				Version: "v1.2.3", Mesh: "home", Arch: "arm64", Policy: "spread", Up: 3*time.Hour + 2*time.Minute,
				Load: control.Busy{Wait: 12 * ms, Running: 4, Queued: 1, Servers: 4}, Rate: 2.14, Out: .5, MeshUtilisation: .42, Functions: []string{"resize", "thumb.lab"},
			}
		},
		Peers: func() []mesh.PeerStatus {
			return []mesh.PeerStatus{{ID: k.why.Accounts[1].Peer, Neighbour: true}, {ID: k.why.Accounts[2].Peer}}
		},
	})
	mux := http.NewServeMux()
	h.Routes(mux, func(h http.Handler) http.Handler {
		return api.Auth(h, api.Credentials{User: "admin", Password: "secret"})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("P2PFAAS_NODE", server.URL)
	t.Setenv("P2PFAAS_PASSWORD_FILE", password)
	return server.URL
}

func TestRecordTools(t *testing.T) {
	recordsNode(t)
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"why 5f0c2a", exitOK, "call 5f0c2a of resize: answered after 152ms, ran on …PvDPzm", ""},
		{"why 5f0c2a -o json", exitOK, `"reason": "there-sooner"`, ""},
		{"why nope", exitFailure, "", `why nope: 404 Not Found: this node keeps nothing of call "nope"`},
		{"why a/b", exitFailure, "", `keeps nothing of call "a/b"`},
		{"why", exitUsage, "", "CALL-ID is missing"},
		{"calls --outcome answered --limit 1", exitOK, "resize    http", ""},
		{"calls --function other -o json", exitOK, "[]", ""},
		{"calls --outcome lost", exitUsage, "", "want one of under-way, answered"},
		{"calls --limit 0", exitUsage, "", "--limit 0: want 1 to 1000"},
		{"status --peer …x6nXTN", exitOK, "v2", ""},
		{"status --peer " + peerA + " -o json", exitOK, `"neighbours": 1`, ""},
		{"status --peer PvDPzm", exitFailure, "", "502 Bad Gateway: ask " + peerC + ": peer not reached"},
		{"status --peer zzzzzz", exitFailure, "", "404 Not Found: no such peer: 0 of the peers here"},
		{"peers -o json", exitOK, peerB, ""},
	} {
		got := program(t, nil, strings.Fields(c.args)...)
		if got.code != c.code || !strings.Contains(got.stdout, c.stdout) || !strings.Contains(got.stderr, c.stderr) {
			t.Errorf("%s: got %+v, want %+v", c.args, got, c)
		}
	}
	golden(t, "calls.txt", program(t, nil, "calls").stdout)
	golden(t, "status.txt", program(t, nil, "status").stdout)
}

func TestRecordToolsTakeCredentials(t *testing.T) {
	url := recordsNode(t)
	for _, path := range []string{"/system/why/5f0c2a", "/system/calls", "/system/status", "/system/peers"} {
		res, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without credentials: %s", path, res.Status)
		}
	}
}
