package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// state is what must return to where it was.
type state struct {
	goroutines float64
	files      int
	memory     int64
}

func stateOf(p *nodetest.Process) state {
	return state{p.Metric("go_goroutines"), p.Files(), p.Memory()}
}

func TestManyCallsLoseNothing(t *testing.T) {
	const calls, atOnce = 100_000, 64
	a, b := pair(t, "tcp", "--servers", "64")
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{a})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
	callMany(t, client, a, 2_000, atOnce)
	settle(client)
	before := map[string]state{"A": stateOf(a), "B": stateOf(b)}

	began := time.Now()
	callMany(t, client, a, calls, atOnce)
	t.Logf("%d calls of 1 KB, %d at once, in %v", calls, atOnce, time.Since(began).Round(time.Millisecond))

	settle(client)
	for name, p := range map[string]*nodetest.Process{"A": a, "B": b} {
		was := before[name]
		nodetest.Eventually(t, name+" is as it was", func() error {
			now := stateOf(p)
			t.Logf("%s: goroutines %v -> %v, files %d -> %d, memory %d -> %d KiB", name, was.goroutines, now.goroutines, was.files, now.files, was.memory>>10, now.memory>>10)
			if now.goroutines > was.goroutines+20 || now.files > was.files+10 || now.memory > was.memory+32*mib {
				return fmt.Errorf("was %+v, is %+v", was, now)
			}
			return nil
		})
	}
	if c := count(t, b, "echo"); c.InFlight != 0 {
		t.Errorf("function: %+v", c)
	}
}

func settle(client *http.Client) {
	client.CloseIdleConnections()
	time.Sleep(time.Second)
}

// callMany calls echo through p; each answer must be the request.
func callMany(t *testing.T, client *http.Client, p *nodetest.Process, calls, atOnce int) {
	t.Helper()
	var next, failed atomic.Int64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			body := bytes.Repeat([]byte("x"), 1024)
			for {
				i := next.Add(1)
				if i > int64(calls) {
					return
				}
				copy(body, fmt.Sprintf("%016d", i))
				if err := roundTrip(client, url(p, "echo"), body); err != nil && failed.Add(1) < 10 {
					t.Errorf("call %d: %v", i, err)
				}
			}
		})
	}
	all.Wait()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d of %d calls failed", n, calls)
	}
}

func roundTrip(client *http.Client, url string, body []byte) error {
	resp, err := client.Post(url, "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !bytes.Equal(got, body) {
		return fmt.Errorf("status %d, %d bytes: %.100s", resp.StatusCode, len(got), got)
	}
	return nil
}
