package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// callers call a function without pause and keep what did not succeed.
type callers struct {
	t      testing.TB
	url    string
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu      sync.Mutex
	answers map[string]int // how often each was the answer
	failed  []string
	slowest time.Duration
}

func callWithoutPause(t testing.TB, url string, n int) *callers {
	ctx, cancel := context.WithCancel(t.Context())
	c := &callers{t: t, url: url, cancel: cancel, answers: make(map[string]int)}
	for range n {
		c.all.Go(func() {
			for ctx.Err() == nil {
				c.one()
			}
		})
	}
	t.Cleanup(func() { cancel(); c.all.Wait() })
	return c
}

func (c *callers) one() {
	began := time.Now()
	status, answer, err := ask(c.url)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slowest = max(c.slowest, time.Since(began))
	if err != nil || status != http.StatusOK {
		c.failed = append(c.failed, fmt.Sprintf("status %d, %v: %.200s", status, err, answer))
		return
	}
	c.answers[answer]++
}

func ask(url string) (status int, answer string, err error) {
	resp, err := http.Post(url, "text/plain", strings.NewReader("x"))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(body)), err
}

// stop returns the answers once all calls are over, none of which may have failed.
func (c *callers) stop() map[string]int {
	c.t.Helper()
	c.cancel()
	c.all.Wait()
	n := 0
	for _, times := range c.answers {
		n += times
	}
	c.t.Logf("%d calls were answered, the slowest after %v; %d failed", n, c.slowest.Round(time.Millisecond), len(c.failed))
	if len(c.failed) > 0 {
		c.t.Errorf("%d calls failed, the first: %s", len(c.failed), c.failed[0])
	}
	return c.answers
}

// deployed is what the OpenFaaS API says of a function.
type deployed struct {
	Replicas  int    `json:"replicas"`
	Available int    `json:"availableReplicas"`
	Image     string `json:"image"`
}

// replicas waits until a function has so many, all of them available.
func replicas(t testing.TB, p *nodetest.Process, function string, want func(int) bool, what string) time.Duration {
	t.Helper()
	began := time.Now()
	nodetest.Eventually(t, what, func() error {
		var d deployed
		if err := p.Get("/system/function/"+function, &d); err != nil {
			return err
		}
		if d.Replicas != d.Available || !want(d.Replicas) {
			return fmt.Errorf("%d replicas, %d available", d.Replicas, d.Available)
		}
		return nil
	})
	return time.Since(began)
}

// Calls arrive all the time while a function gets more replicas, and none fails;
// left alone it has fewer, then none, and the next call starts it.
func TestFunctionScalesWithItsLoad(t *testing.T) {
	p := node(t, "tcp", nil, "--servers", "16")
	deploy(t, p, "sleep", "builtin:sleep", []*nodetest.Process{p}, "--weight", "1",
		"--label", "com.openfaas.scale.type=capacity", "--label", "com.openfaas.scale.target=2", "--label", "com.openfaas.scale.max=4",
		"--label", "com.openfaas.scale.down.window=2s", "--label", "com.openfaas.scale.zero=true", "--label", "com.openfaas.scale.zero-duration=8s")
	load := callWithoutPause(t, url(p, "sleep"), 12)
	up := replicas(t, p, "sleep", func(n int) bool { return n == 4 }, "more replicas under load")
	time.Sleep(time.Second)
	load.stop()
	down := replicas(t, p, "sleep", func(n int) bool { return n == 1 }, "one replica without load")
	zero := replicas(t, p, "sleep", func(n int) bool { return n == 0 }, "no replica when idle")
	t.Logf("from 1 to 4 replicas in %v, to 1 in %v, to none in %v", up.Round(time.Millisecond), down.Round(time.Millisecond), zero.Round(time.Millisecond))
	wake := callWithoutPause(t, url(p, "sleep"), 4)
	replicas(t, p, "sleep", func(n int) bool { return n > 0 }, "a call starts the function")
	wake.stop()
}

// A function is stopped by hand again and again while calls arrive: those under
// way are answered, the next start it anew.
func TestScaleToZeroUnderLoad(t *testing.T) {
	p := node(t, "tcp", nil, "--servers", "16")
	deploy(t, p, "sleep", "builtin:sleep", []*nodetest.Process{p}, "--weight", "1")
	load := callWithoutPause(t, url(p, "sleep"), 4)
	for range 10 {
		time.Sleep(300 * time.Millisecond)
		tool(t, p, "scale", "sleep", "0")
	}
	load.stop()
}

// tells is a server that takes a second to start and answers with its environment.
const tells = `#!/bin/sh
sleep 1
exec %s builtin env
`

// Versions of a function replace each other under load: no call fails, and none
// waits for a version that starts.
func TestRollingUpdateUnderLoad(t *testing.T) {
	p := node(t, "tcp", nil, "--servers", "16")
	image := "serve:" + script(t, p, "tells", fmt.Sprintf(tells, program))
	deploy(t, p, "tells", image, []*nodetest.Process{p}, "--weight", "1", "--env", "version=1")
	tool(t, p, "scale", "tells", "2")
	replicas(t, p, "tells", func(n int) bool { return n == 2 }, "2 replicas")
	load := callWithoutPause(t, url(p, "tells"), 4)
	for version := 2; version <= 4; version++ {
		tool(t, p, "deploy", "tells", "--image", image, "--weight", "1", "--env", fmt.Sprintf("version=%d", version))
		serves(t, p, version)
	}
	seen := map[string]int{}
	for answer, n := range load.stop() {
		seen[versionIn(answer)] += n
	}
	t.Logf("answers by version: %v", seen)
	if len(seen) != 4 || seen["1"] == 0 || seen["4"] == 0 {
		t.Errorf("answers by version: %v, want 4 of them", seen)
	}
}

func versionIn(answer string) string {
	_, after, _ := strings.Cut(answer, `"version=`)
	version, _, _ := strings.Cut(after, `"`)
	return version
}

// serves waits until a version answers.
func serves(t *testing.T, p *nodetest.Process, version int) {
	t.Helper()
	nodetest.Eventually(t, "the new version answers", func() error {
		_, answer, err := ask(url(p, "tells"))
		if got := versionIn(answer); got != fmt.Sprint(version) {
			return fmt.Errorf("version %q answers, %v", got, err)
		}
		return nil
	})
}
