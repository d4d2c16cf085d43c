package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// keepCalling keeps so many calls of a function under way until stop or the
// test's end.
func keepCalling(t *testing.T, p *nodetest.Process, function, duration string, calls int) (stop func()) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: calls}}
	quit := make(chan struct{})
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
				}
				resp, err := client.Post(url(p, function)+"?duration="+duration, "", nil)
				if err != nil {
					t.Error(err)
					return
				}
				if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("status %d, %v: %s", resp.StatusCode, err, body)
				}
				resp.Body.Close()
			}
		})
	}
	stop = sync.OnceFunc(func() { close(quit); all.Wait(); client.CloseIdleConnections() })
	t.Cleanup(stop)
	return stop
}

func weight(t *testing.T, p *nodetest.Process, function string) float64 {
	t.Helper()
	_, value, ok := strings.Cut(p.MetricsLike(`p2pfaas_function_weight\{function="`+function+`"\} `), "} ")
	w, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if !ok || err != nil {
		t.Fatalf("no weight of %s: %v", function, err)
	}
	return w
}

// What sleeps shares a server, what computes does not: nobody says which is which.
func TestWeightsAreMeasured(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); errors.Is(err, os.ErrNotExist) {
		t.Skip("this kernel does not tell how long a thread waited")
	}
	p := node(t, "tcp", nil, "--servers", "1", "--policy", "local")
	deploy(t, p, "sleep", "builtin:sleep", []*nodetest.Process{p})
	deploy(t, p, "burn", "builtin:burn", []*nodetest.Process{p})

	const asleep = 6
	stop := keepCalling(t, p, "sleep", "200ms", asleep)
	nodetest.Eventually(t, "many sleep at once", func() error {
		if n := p.Metric("p2pfaas_running"); n < asleep-1 {
			return fmt.Errorf("%v run, and weigh %v each", n, weight(t, p, "sleep"))
		}
		return nil
	})
	t.Logf("sleep weighs %v", weight(t, p, "sleep"))
	stop()

	stop = keepCalling(t, p, "burn", "100ms", 4)
	for range 50 {
		if n := p.Metric("p2pfaas_running"); n > 1 {
			t.Fatalf("%v compute at once on one server, and weigh %v each", n, weight(t, p, "burn"))
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("burn weighs %v", weight(t, p, "burn"))
	stop()
}

// A machine with more work than processors must not take that for a reason to
// admit more.
func TestOverloadDoesNotMakeLight(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); errors.Is(err, os.ErrNotExist) {
		t.Skip("this kernel does not tell how long a thread waited")
	}
	servers := 4 * runtime.NumCPU()
	p := node(t, "tcp", nil, "--servers", strconv.Itoa(servers), "--policy", "local")
	deploy(t, p, "burn", "builtin:burn", []*nodetest.Process{p})
	stop := keepCalling(t, p, "burn", "500ms", servers+4)
	for range 16 {
		time.Sleep(500 * time.Millisecond)
		if w, n := weight(t, p, "burn"), p.Metric("p2pfaas_running"); w < 0.7 || n > float64(servers) {
			t.Fatalf("with %v calls on %d processors it weighs %v, want about 1", n, servers/4, w)
		}
	}
	t.Logf("burn weighs %v", weight(t, p, "burn"))
	stop()
}
