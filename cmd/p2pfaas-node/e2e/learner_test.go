package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// TestLearningScheduler: what P2PFaaS's client does with its learning scheduler, on
// a node alone: it sets the scheduler, calls, and posts the rewards itself.
func TestLearningScheduler(t *testing.T) {
	n := node(t, "tcp", nil, "--samples")
	authorised(t, n, "POST", "/configuration/scheduler", `{"name":"LearningScheduler","parameters":["1"]}`)
	authorised(t, n, "POST", "/learner/parameters", `{"epsilon_start":1,"epsilon_min":0,"epsilon_decay":0.95,"alpha":0.5,"window_size":2}`)
	type entry struct {
		Eid    json.Number `json:"eid"`
		State  string      `json:"state"`
		Action json.Number `json:"action"`
		Reward float64     `json:"reward"`
	}
	const prefix, calls = "X-P2pfaas-Scheduler-Learning-", 100
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
	if served < 9 { // it may still try something else
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

// TestServedLearnerStays: what others have taught the learner that a node serves
// outlives the node; what cannot be read is set aside.
func TestServedLearnerStays(t *testing.T) {
	start := func(data string) *nodetest.Process {
		return nodetest.Start(t, nodetest.Spec{Program: program, Data: data, Flags: []string{"--http", "127.0.0.1:0",
			"--listen", transports["tcp"], "--mdns=false", "--openfaas-url", "none", "--mesh", "e2e"}})
	}
	known := func(n *nodetest.Process) (w struct {
		Table [][]float64 `json:"table"`
	}) {
		if err := n.Get("/learner/weights", &w); err != nil {
			t.Fatal(err)
		}
		return w
	}
	a := start("")
	file := filepath.Join(a.Data, "learner", "model")
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has learned nothing, and writes that down: %v", err)
	}
	a = start(a.Data)
	for i := range 40 {
		authorised(t, a, "POST", "/train_batch", fmt.Sprintf(`[{"eid":%d,"state":"0,%d","action":%d,"reward":%d}]`, i, i%3, i%4, i%2))
	}
	taught := known(a)
	if len(taught.Table) != 3 {
		t.Fatalf("it has learned %v", taught)
	}
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	again := start(a.Data)
	if diff := cmp.Diff(taught, known(again)); diff != "" {
		t.Errorf("a restart changes what it knows: %s", diff)
	}
	if err := again.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	spoilt := start(a.Data)
	if w := known(spoilt); len(w.Table) != 0 || !strings.Contains(spoilt.Log(), "what the learner had learned cannot be used") {
		t.Errorf("from rubbish it knows %v", w)
	}
	if _, err := os.Stat(file + ".bad"); err != nil {
		t.Error("the model is not set aside:", err)
	}
}
