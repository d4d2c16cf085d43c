package mesh

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/test"

	"github.com/p2pfaas/p2pfaas/sched"
)

func TestPeerStatusAsJSON(t *testing.T) {
	whole := PeerStatus{
		ID: test.RandPeerIDFatal(t), Addr: []string{"/ip4/127.0.0.1/tcp/1"}, Transport: "tcp", Version: "v1", Zone: "rack", Arch: "arm64",
		Neighbour: true, Joined: time.Hour, RTT: 1234567, LeastRTT: time.Millisecond,
		Load: sched.Load{Wait: 250 * time.Millisecond, Running: 1, Queued: 2, Servers: 4, Speed: 1, Rate: 2, Out: 3},
		Age:  1500 * time.Millisecond, Heard: time.Second, OwnSends: 1, Health: 1, Honesty: .5, Paused: true, Draining: true, Candidate: true,
		Functions: []string{"a"},
	}
	for name, s := range map[string]PeerStatus{"whole": whole, "never heard": {ID: whole.ID, Heard: -1}} {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var got PeerStatus
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	b, _ := json.Marshal(whole)
	for _, want := range []string{`"peer":"` + whole.ID.String(), `"rtt_seconds":0.001234567`, `"wait_seconds":0.25`, `"heard_seconds":1`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
	if strings.Contains(string(b), `"wait":`) || strings.Contains(string(b), `"id":`) {
		t.Errorf("an old key in %s", b)
	}
}
