package learner_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// script is a running learner.py.
type script struct {
	t   *testing.T
	url string
	cmd *exec.Cmd
}

func startScript(t *testing.T, port string) *script {
	t.Helper()
	cmd := exec.Command("python3", "learner.py", "--port", port)
	cmd.Stderr = testWriter{t}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, cmd: cmd}
	t.Cleanup(s.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, err2 := fmt.Sscanf(line, "listening %s", &s.url); err != nil || err2 != nil {
		t.Fatalf("%q: %v, %v", line, err, err2)
	}
	return s
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) { w.t.Logf("learner.py: %s", p); return len(p), nil }

func (s *script) port() string { return s.url[strings.LastIndex(s.url, ":")+1:] }

func (s *script) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends it, frozen or not; a second time does nothing.
func (s *script) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func (s *script) stats() (st struct {
	Asked   int     `json:"inferences"`
	Learned int     `json:"trained_items"`
	Epsilon float64 `json:"epsilon"`
}, err error) {
	resp, err := http.Get(s.url + "/learner/stats")
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	return st, json.NewDecoder(resp.Body).Decode(&st)
}

// mesh is two nodes with the built-in functions; the first asks the learner.
func mesh(t *testing.T, learner string) *nodetest.Process {
	t.Helper()
	program := filepath.Join(t.TempDir(), "p2pfaas-node")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/p2pfaas-node").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	flags := []string{"--http", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false", "--openfaas-url", "none", "--samples"}
	other := nodetest.Start(t, nodetest.Spec{Program: program, Flags: flags})
	asks := []string{"--bootstrap", other.Addrs[0], "--policy", "external", "--learner", learner,
		"--set", "deadline=500ms", "--set", "failures=2", "--set", "pause=300ms"}
	n := nodetest.Start(t, nodetest.Spec{Program: program, Flags: append(flags, asks...)})
	nodetest.Eventually(t, "the nodes know each other", func() error {
		var peers []struct {
			Functions []string `json:"functions"`
		}
		if err := n.Get("/system/peers", &peers); err != nil {
			return err
		}
		if len(peers) != 1 || len(peers[0].Functions) == 0 {
			return fmt.Errorf("it knows %+v", peers)
		}
		return nil
	})
	return n
}

// call invokes echo, and tells the status and why it ran where it did.
func call(t *testing.T, n *nodetest.Process) (status int, reason string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+n.HTTP+"/function/echo", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	_, reason, _ = strings.Cut(resp.Header.Get("X-P2pfaas-Path"), ";reason=")
	return resp.StatusCode, strings.FieldsFunc(reason+",", func(r rune) bool { return r == ';' || r == ',' })[0]
}

// callAll makes calls, none of which may fail, and counts those that the learner
// had no part in.
func callAll(t *testing.T, n *nodetest.Process, calls int) (alone int) {
	t.Helper()
	for i := range calls {
		status, reason := call(t, n)
		if status != http.StatusOK {
			t.Fatalf("call %d: status %d because %s", i, status, reason)
		}
		if !ofLearner(reason) {
			alone++
		}
	}
	return alone
}

func ofLearner(reason string) bool {
	return reason == "advised" || reason == "less-loaded" || reason == "none-less-loaded"
}

func TestLearner(t *testing.T) {
	nodetest.Need(t, nodetest.Python3)
	s := startScript(t, "0")
	n := mesh(t, s.url)

	const calls = 200
	advised, refused := 0, 0
	for range calls {
		status, reason := call(t, n)
		switch {
		case status == http.StatusTooManyRequests && reason == "advised":
			refused++
		case status != http.StatusOK:
			t.Fatalf("status %d because %s", status, reason)
		}
		if ofLearner(reason) {
			advised++
		}
	}
	if advised < calls/2 || refused > calls/2 {
		t.Errorf("of %d calls the learner decided %d and refused %d", calls, advised, refused)
	}
	nodetest.Eventually(t, "all rewards arrive", func() error {
		st, err := s.stats()
		if err == nil && (st.Learned != advised || st.Asked < advised || st.Epsilon >= 0.5) {
			err = fmt.Errorf("%+v after %d decisions", st, advised)
		}
		return err
	})

	s.signal(syscall.SIGSTOP) // it is silent
	if alone := callAll(t, n, 50); alone != 50 {
		t.Errorf("a frozen learner decided %d times", 50-alone)
	}
	s.kill()                           // it is gone
	time.Sleep(300 * time.Millisecond) // the pause: it is looked for again
	if alone := callAll(t, n, 50); alone != 50 {
		t.Errorf("a dead learner decided %d times", 50-alone)
	}

	s = startScript(t, s.port()) // it is back, and knows nothing any more
	begin := time.Now()
	for back := false; !back; {
		_, reason := call(t, n)
		if back = ofLearner(reason); time.Since(begin) > nodetest.Patience {
			t.Fatalf("it is not asked any more:\n%s", n.MetricsLike("p2pfaas_learner"))
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, outcome := range []string{"answered", "late", "unreachable"} {
		name := `p2pfaas_learner_asks_total{outcome="` + outcome + `"}`
		if n.Metric(name) == 0 {
			t.Errorf("no question was %s:\n%s", outcome, n.MetricsLike("p2pfaas_learner"))
		}
	}
}
