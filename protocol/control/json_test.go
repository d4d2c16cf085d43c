package control

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/test"
)

func TestRecordsAsJSON(t *testing.T) {
	call := sampleCall(t)
	call.ID = "5f2c"
	why := Why{CallID: call.ID, Accounts: []Account{{Peer: call.Ran, Calls: []Call{call}}}}
	b, err := json.Marshal(why)
	if err != nil {
		t.Fatal(err)
	}
	var got Why
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(why, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, want := range []string{`"calls":[{"id":"5f2c"`, `"total_seconds":5`, `"decide_seconds":0.000001`, `"at_seconds":0.001`, `"wait_seconds":0.14`, `"age_seconds":0.035`, `"peer":"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
}

func TestStatusAsJSON(t *testing.T) {
	s := Status{Peer: test.RandPeerIDFatal(t), Version: "v1", Up: 90 * time.Minute, Load: Busy{Wait: time.Second, Servers: 4}, Functions: []string{"a"}}
	b, err := json.Marshal(s)
	if err != nil || !strings.Contains(string(b), `"up_seconds":5400`) {
		t.Fatalf("error %v, %s", err, b)
	}
	var got Status
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSecondsOutOfRange(t *testing.T) {
	for _, text := range []string{"1e300", "-1e10", `"1s"`} {
		var s Seconds
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s is read as %v", text, time.Duration(s))
		}
	}
}
