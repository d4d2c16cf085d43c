package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// says fails unless text holds all parts.
func says(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

func TestPolicyIsChangedWhileCallsRun(t *testing.T) {
	a, b := pair(t, "tcp")
	deploy(t, a, "echo", "builtin:echo", []*nodetest.Process{a})
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{b})
	var all sync.WaitGroup
	var failed, done atomic.Int64
	stop := make(chan struct{})
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := http.Post(url(a, "echo"), "text/plain", strings.NewReader("x"))
				if err != nil || resp.StatusCode != 200 {
					failed.Add(1)
				}
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				done.Add(1)
			}
		})
	}
	for _, args := range [][]string{
		{"power-of-n", "--set", "f=1", "--set", "t=0"}, {"forward"}, {"round-robin", "--servers", "8", "--queue", "50"}, {"local"},
		{"--order", "deadline"}, {"jsq-d", "--set", "d=2"}, {"spread"},
	} {
		tool(t, a, append([]string{"policy", "set"}, args...)...)
		before := done.Load()
		nodetest.Eventually(t, "calls go on", func() error {
			if done.Load() < before+20 {
				return io.ErrNoProgress
			}
			return nil
		})
	}
	close(stop)
	all.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d calls failed", failed.Load(), done.Load())
	}
	says(t, tool(t, a, "policy", "get"), "spread (set at run time", "8", "50", "deadline", "hops", "round-robin")
	says(t, tool(t, a, "policy", "reset"), "spread (as configured)")
}

func TestOnePolicyForOneCall(t *testing.T) {
	a, b := pair(t, "tcp")
	deploy(t, a, "echo", "builtin:echo", []*nodetest.Process{a})
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{b})
	sent := func(header ...string) *http.Response { return post(t, url(a, "echo"), []byte("x"), header...) }
	if r := sent("X-P2pfaas-Policy", "forward"); r.Header.Get("X-P2pfaas-Peer") != b.Peer || !strings.Contains(r.Header.Get("X-P2pfaas-Path"), ";policy=forward;") {
		t.Errorf("forward ran at %s: %s", r.Header.Get("X-P2pfaas-Peer"), r.Header.Get("X-P2pfaas-Path"))
	}
	if r := sent("X-P2pfaas-Policy", "local"); r.Header.Get("X-P2pfaas-Peer") != a.Peer {
		t.Errorf("local ran at %s", r.Header.Get("X-P2pfaas-Peer"))
	}
	if r := sent("X-P2pfaas-Policy", "reject"); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("reject: %d", r.StatusCode)
	}
	r := sent("X-P2pfaas-Policy", "fastest")
	text, _ := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusBadRequest {
		t.Errorf("an unknown policy: %d", r.StatusCode)
	}
	says(t, string(text), "unknown policy", "spread")
}

// asAdmin sends a request with the node's credentials.
func asAdmin(t *testing.T, p *nodetest.Process, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+p.HTTP+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(p.Credentials())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestP2PFaaSClients(t *testing.T) {
	a, b := pair(t, "tcp")
	deploy(t, a, "echo", "builtin:echo", []*nodetest.Process{a})
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{b})
	r := post(t, url(a, "echo"), []byte("x"), "X-P2pfaas-Scheduler-Forward", "True", "X-P2pfaas-Scheduler-Task-Tracing-Id", "t1")
	for name, want := range map[string]string{
		"X-P2pfaas-Externally-Executed": "True", "X-P2pfaas-Hops": "1", "X-P2pfaas-Scheduler-Task-Tracing-Id": "t1",
		"X-P2pfaas-Peers-List-Ip": `["127.0.0.1","127.0.0.1"]`, "X-P2pfaas-Peers-List-Id": `["` + a.Peer + `","` + b.Peer + `"]`,
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if total := r.Header.Get("X-P2pfaas-Timing-Total-Seconds-List"); strings.Count(total, ",") != 1 {
		t.Errorf("total times %q, want two", total)
	}
	if r = post(t, url(a, "echo"), []byte("x"), "X-P2pfaas-Scheduler-Bypass", "True"); r.Header.Get("X-P2pfaas-Externally-Executed") != "" {
		t.Error("bypassed, and executed elsewhere")
	}
	r = post(t, url(a, "echo"), []byte("x"), "X-P2pfaas-Scheduler-Reject", "True")
	if text, _ := io.ReadAll(r.Body); r.StatusCode != http.StatusServiceUnavailable || !bytes.Contains(text, []byte(`"code":401`)) {
		t.Errorf("rejected: %d %s", r.StatusCode, text)
	}

	if status, text := asAdmin(t, a, "POST", "/configuration/scheduler", `{"name":"PowerOfNScheduler","parameters":["2","1","true","1"]}`); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if status, text := asAdmin(t, a, "POST", "/configuration", `{"parallel_running_functions_max":3,"queue_length_max":5}`); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if resp, err := http.Post("http://"+a.HTTP+"/configuration", "application/json", strings.NewReader("{}")); err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger configures: %v, %v", resp.StatusCode, err)
	}
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	again := nodetest.Start(t, nodetest.Spec{Program: program, Data: a.Data, Flags: []string{"--http", "127.0.0.1:0",
		"--listen", transports["tcp"], "--mdns=false", "--openfaas-url", "none", "--mesh", "e2e"}})
	if _, text := asAdmin(t, again, "GET", "/configuration/scheduler", ""); !strings.Contains(text, `{"name":"PowerOfNScheduler","parameters":["2","1","true","1"]}`) {
		t.Errorf("after a restart: %s", text)
	}
	if _, text := asAdmin(t, again, "GET", "/configuration", ""); !strings.Contains(text, `"parallel_running_functions_max":3,"queue_length_max":5,"queue_enabled":true`) {
		t.Errorf("after a restart: %s", text)
	}
}
