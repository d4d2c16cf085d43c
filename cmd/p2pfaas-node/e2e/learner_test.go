package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// TestLearningScheduler: what P2PFaaS's client does with its learning scheduler, on
// a node alone: it sets the scheduler, calls, and posts the rewards itself.
func TestLearningScheduler(t *testing.T) {
	n := node(t, "tcp", nil, "--samples")
	authorised(t, n, "POST", "/configuration/scheduler", `{"name":"LearningScheduler","parameters":["1"]}`)
	authorised(t, n, "POST", "/learner/parameters", `{"epsilon_start":0.5,"epsilon_min":0,"epsilon_decay":0.9,"alpha":0.5,"window_size":2}`)
	type entry struct {
		Eid    json.Number `json:"eid"`
		State  string      `json:"state"`
		Action json.Number `json:"action"`
		Reward float64     `json:"reward"`
	}
	const prefix, calls = "X-P2pfaas-Scheduler-Learning-", 60
	served := 0 // of the last ten
	for i := range calls {
		resp := post(t, url(n, "echo"), []byte("x"), prefix+"Task-Type", "0")
		resp.Body.Close()
		e := entry{Eid: json.Number(resp.Header.Get(prefix + "Eid")), State: resp.Header.Get(prefix + "State"), Action: json.Number(resp.Header.Get(prefix + "Action"))}
		if e.Eid != json.Number(fmt.Sprint(i+1)) || e.State == "" || resp.Header.Get(prefix+"Eps") == "" {
			t.Fatalf("call %d: status %d, %+v", i, resp.StatusCode, resp.Header)
		}
		if resp.StatusCode == http.StatusOK {
			e.Reward = 1
		}
		if i >= calls-10 {
			served += int(e.Reward)
		}
		batch, err := json.Marshal([]entry{e})
		if err != nil {
			t.Fatal(err)
		}
		authorised(t, n, "POST", "/train_batch", string(batch))
	}
	if served != 10 {
		t.Errorf("of the last ten calls it served %d: it has not learned to", served)
	}
	var stats struct {
		Inferences int `json:"inferences"`
		Trained    int `json:"trained_items"`
	}
	if err := n.Get("/learner/stats", &stats); err != nil || stats.Inferences != calls || stats.Trained < calls-5 {
		t.Errorf("%+v, %v", stats, err)
	}
	resp, err := http.Get("http://" + n.HTTP + "/learner/stats")
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without credentials: %v, %v", resp, err)
	}
	resp.Body.Close()
}

// authorised sends a request with the node's credentials, which must succeed.
func authorised(t *testing.T, n *nodetest.Process, method, path, body string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+n.HTTP+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(n.Credentials())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d", method, path, resp.StatusCode)
	}
}

// TestSarsaTellsItsSteps: a learner within the node tells them, too.
func TestSarsaTellsItsSteps(t *testing.T) {
	n := node(t, "tcp", nil, "--samples", "--policy", "sarsa", "--set", "form=table")
	resp := post(t, url(n, "echo"), []byte("x"), "X-P2pfaas-Scheduler-Learning-Task-Type", "2")
	resp.Body.Close()
	if h := resp.Header; h.Get("X-P2pfaas-Scheduler-Learning-Eid") == "" || h.Get("X-P2pfaas-Scheduler-Learning-State") != "2,0,0" {
		t.Errorf("status %d, %v", resp.StatusCode, h)
	}
}
