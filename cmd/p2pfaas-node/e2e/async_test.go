package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// postbox receives callbacks, and counts them by call ID.
type postbox struct {
	addr string
	mu   sync.Mutex
	got  map[string]int
	bad  []string
}

func newPostbox(t testing.TB) *postbox {
	p := &postbox{got: map[string]int{}}
	p.addr = serve(t, &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		id := r.Header.Get("X-Call-Id")
		p.got[id]++
		if s := r.Header.Get("X-Function-Status"); s != "200" {
			p.bad = append(p.bad, id+" status "+s)
		}
	})})
	return p
}

func (p *postbox) url() string { return "http://" + p.addr + "/" }

// waitFor waits until each of the IDs has come, and tells how many came twice.
func (p *postbox) waitFor(t testing.TB, ids []string) (again int) {
	t.Helper()
	for began := time.Now(); p.missing(ids) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 3*nodetest.Patience { // a copy alone waits for 30 s
			t.Fatalf("%d of %d callbacks are missing after %v", p.missing(ids), len(ids), 3*nodetest.Patience)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		again += p.got[id] - 1
	}
	if len(p.got) != len(ids) || len(p.bad) > 0 {
		t.Errorf("callbacks of %d calls came for %d accepted; %v", len(p.got), len(ids), p.bad)
	}
	return again
}

func (p *postbox) missing(ids []string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		if p.got[id] == 0 {
			n++
		}
	}
	return n
}

// queue has n calls of a function accepted, and returns their IDs.
func queue(t testing.TB, p *nodetest.Process, function string, n int, callback string) []string {
	t.Helper()
	ids := make([]string, n)
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for i := worker; i < n; i += 16 {
				req, _ := http.NewRequest("POST", "http://"+p.HTTP+"/async-function/"+function, strings.NewReader(fmt.Sprint("call ", i)))
				req.Header.Set("X-Callback-Url", callback)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				body, _ := io.ReadAll(resp.Body)
				if resp.Body.Close(); resp.StatusCode != http.StatusAccepted {
					t.Errorf("status %d: %s", resp.StatusCode, body)
					return
				}
				ids[i] = resp.Header.Get("X-Call-Id")
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return ids
}

// told is what a node says of a call.
type told struct {
	State    string `json:"state"`
	Holder   string `json:"holder"`
	Attempts int    `json:"attempts"`
	Problem  string `json:"problem"`
}

// Of 1000 calls that are queued when the node is killed, each is answered after
// its restart, under its own ID.
func TestAsyncSurvivesKill(t *testing.T) {
	box := newPostbox(t)
	a := node(t, "tcp", nil, "--samples", "--servers", "8")
	ids := queue(t, a, "sleep?d=40ms", 1000, box.url())
	a.Kill() // some have run by now, some run, most wait
	box.mu.Lock()
	before := len(box.got)
	box.mu.Unlock()
	again := nodetest.Start(t, nodetest.Spec{Program: program, Data: a.Data, Flags: []string{
		"--http", "127.0.0.1:0", "--listen", transports["tcp"], "--mdns=false", "--openfaas-url", "none", "--mesh", "e2e", "--samples", "--servers", "8"}})
	twice := box.waitFor(t, ids)
	t.Logf("%d callbacks came before the node was killed; %d came twice", before, twice)
	if before > 900 {
		t.Errorf("%d callbacks came before: too few waited", before)
	}
	var done told
	if err := again.Get("/call/"+ids[0], &done); err != nil || done.State != "done" || done.Holder != a.Peer {
		t.Errorf("%+v %v", done, err)
	}
}

// Any node tells of a call, gives its answer and cancels it; when the holder is
// gone they name it.
func TestAsyncAskedAtAnotherNode(t *testing.T) {
	for transport := range transports {
		t.Run(transport, func(t *testing.T) {
			a, b := pair(t, transport, "--samples")
			for _, chosen := range []string{"", "my own id"} {
				resp := post(t, "http://"+b.HTTP+"/async-function/echo", []byte("hello"), "X-Call-Id", chosen)
				where := resp.Header.Get("Location")
				if resp.StatusCode != http.StatusAccepted || where == "" {
					t.Fatal(resp.StatusCode, resp.Header)
				}
				nodetest.Eventually(t, "the other node has the answer", func() error {
					var s told
					if err := a.Get(where, &s); err != nil || s.Holder != b.Peer || s.State != "done" {
						return fmt.Errorf("%+v %v", s, err)
					}
					return nil
				})
				resp, err := http.Get("http://" + a.HTTP + where + "/result")
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != 200 || string(body) != "hello" {
					t.Errorf("status %d: %s", resp.StatusCode, body)
				}
			}
			resp := post(t, "http://"+b.HTTP+"/async-function/sleep?d=60s", nil)
			where := resp.Header.Get("Location")
			nodetest.Eventually(t, "it runs", func() error {
				var s told
				if err := a.Get(where, &s); err != nil || s.State != "running" {
					return fmt.Errorf("%+v %v", s, err)
				}
				return nil
			})
			req, _ := http.NewRequest("DELETE", "http://"+a.HTTP+where, nil)
			cancelled, err := http.DefaultClient.Do(req)
			if err != nil || cancelled.StatusCode != http.StatusAccepted {
				t.Fatal(cancelled, err)
			}
			_ = cancelled.Body.Close()
			nodetest.Eventually(t, "the function is ended", func() error {
				if c := count(t, b, "sleep"); c.InFlight != 0 {
					return fmt.Errorf("%+v", c)
				}
				return nil
			})
			b.Kill()
			nodetest.Eventually(t, "the holder is named", func() error {
				resp, err := http.Get("http://" + a.HTTP + where)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				body, _ := io.ReadAll(resp.Body)
				if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), b.Peer) {
					return fmt.Errorf("status %d: %s", resp.StatusCode, body)
				}
				return nil
			})
		})
	}
}

// With two copies the calls of a node that is lost for good are brought to their
// end by the other.
func TestAsyncCopies(t *testing.T) {
	box := newPostbox(t)
	c := node(t, "tcp", nil, "--samples")
	a := node(t, "tcp", []*nodetest.Process{c}, "--async-copies", "2")
	resp := post(t, "http://"+a.HTTP+"/async-function/x", nil)
	_ = resp.Body.Close() // with or without its neighbour yet
	sees(t, a, c)
	knows(t, a, c, "sleep")
	ids := queue(t, a, "sleep?d=300ms", 40, box.url())
	var list struct{ Counts map[string]int }
	if err := c.Get("/system/async?state=copy", &list); err != nil || list.Counts["copy"] == 0 {
		t.Fatal(list, err)
	}
	a.Kill()
	twice := box.waitFor(t, ids)
	t.Logf("%d callbacks came twice", twice)
	var s told
	if err := c.Get("/call/"+ids[len(ids)-1], &s); err != nil || s.Holder != c.Peer || s.State != "done" {
		t.Errorf("%+v %v", s, err)
	}
}

// A second node is asked for and there is none: the call is refused.
func TestAsyncCopiesAlone(t *testing.T) {
	a := node(t, "tcp", nil, "--samples", "--async-copies", "2")
	resp := post(t, "http://"+a.HTTP+"/async-function/echo", []byte("x"))
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "second node") {
		t.Errorf("status %d: %s", resp.StatusCode, body)
	}
}

// Queued work spreads over the mesh, and does not stand in the way of those who
// wait for an answer.
func TestAsyncSpreads(t *testing.T) {
	box := newPostbox(t)
	b := node(t, "tcp", nil, "--samples", "--servers", "2")
	a := node(t, "tcp", []*nodetest.Process{b}, "--samples", "--servers", "2")
	sees(t, a, b)
	knows(t, a, b, "sleep")
	ids := queue(t, a, "sleep?d=200ms", 60, box.url())
	var worst time.Duration
	for range 5 {
		began := time.Now()
		resp := post(t, url(a, "sleep")+"?d=10ms", nil)
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != 200 {
			t.Errorf("a synchronous call: status %d", resp.StatusCode)
		}
		worst = max(worst, time.Since(began))
	}
	if twice := box.waitFor(t, ids); twice > 0 {
		t.Errorf("%d callbacks came twice", twice)
	}
	here, there := sleepsAnswered(t, a, "run"), sleepsAnswered(t, a, "forward")
	t.Logf("%d ran where they were accepted, %d at the neighbour; the slowest synchronous call among them took %v", here, there, worst)
	if here+there != len(ids)+5 || there < 10 || here < 10 {
		t.Errorf("%d ran where they were accepted, %d at the neighbour, %d were called", here, there, len(ids)+5)
	}
}

// sleepsAnswered counts the invocations of sleep that a node ran, or had another run.
func sleepsAnswered(t testing.TB, p *nodetest.Process, action string) (n int) {
	t.Helper()
	line := p.MetricsLike(fmt.Sprintf(`p2pfaas_invocations_total\{action="%s",function="sleep",outcome="answered"\}`, action))
	if _, err := fmt.Sscanf(line[strings.LastIndexByte(line, ' ')+1:], "%d", &n); err != nil {
		t.Errorf("%q: %v", line, err)
	}
	return n
}

// What nobody can answer is a dead letter; it is answered once it is queued again.
func TestAsyncDeadLetter(t *testing.T) {
	a := node(t, "tcp", nil, "--samples")
	tool(t, a, "deploy", "fails", "--image", "builtin:echo", "--annotation", "com.openfaas.retry.attempts=2",
		"--annotation", "com.openfaas.retry.min_wait=10ms")
	resp := post(t, "http://"+a.HTTP+"/async-function/fails?status=500", nil)
	where := resp.Header.Get("Location")
	nodetest.Eventually(t, "it is dead", func() error {
		var s told
		if err := a.Get(where, &s); err != nil || s.State != "dead" || s.Attempts != 2 {
			return fmt.Errorf("%+v %v", s, err)
		}
		return nil
	})
	var list struct {
		Counts map[string]int
		Calls  []struct{ ID string }
	}
	if err := a.Get("/system/async?state=dead", &list); err != nil || len(list.Calls) != 1 || list.Counts["dead"] != 1 {
		t.Fatal(list, err)
	}
	user, password := a.Credentials()
	req, _ := http.NewRequest("POST", "http://"+a.HTTP+"/system/async/"+list.Calls[0].ID+"/requeue", nil)
	req.SetBasicAuth(user, password)
	again, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Body.Close()
	var s told
	if err := json.NewDecoder(again.Body).Decode(&s); err != nil || again.StatusCode != http.StatusAccepted || s.State != "queued" || s.Attempts != 0 {
		t.Errorf("status %d: %+v %v", again.StatusCode, s, err)
	}
	if text := a.MetricsLike("p2pfaas_async_"); !strings.Contains(text, `p2pfaas_async_attempts_total{outcome="dead"}`) {
		t.Error(text)
	}
	a.Signal(syscall.SIGTERM)
	if err := a.Wait(); err != nil {
		t.Error("it did not end cleanly:", err)
	}
}
