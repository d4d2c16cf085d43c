package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// A sends to B, which is full, and must have the call run once, elsewhere.
func TestRefusedLargeBodyRunsOnceElsewhere(t *testing.T) {
	for transport := range transports {
		t.Run(transport, func(t *testing.T) {
			b := node(t, transport, nil, "--servers", "1", "--queue", "0", "--policy", "local") // refuses when full
			c := node(t, transport, []*nodetest.Process{b}, "--servers", "1", "--queue", "0")
			a := node(t, transport, []*nodetest.Process{b, c}, "--policy", "random") // spread may believe that B is full
			for _, p := range []*nodetest.Process{b, c} {
				sees(t, a, p)
				deploy(t, p, "echo", "builtin:echo", []*nodetest.Process{a}, "--weight", "1")
				knows(t, a, p, "echo")
			}
			// Whoever is busy is not told to A: the slow call enters at the node itself.
			busy, release := io.Pipe()
			slow, _ := http.NewRequest(http.MethodPost, url(b, "echo"), busy)
			done := make(chan error, 1)
			go func() {
				resp, err := http.DefaultClient.Do(slow)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				done <- err
			}()
			if _, err := release.Write([]byte("begun")); err != nil {
				t.Fatal(err)
			}
			nodetest.Eventually(t, "B is full", func() error {
				if n := b.Metric("p2pfaas_running"); n != 1 {
					return fmt.Errorf("%v running", n)
				}
				return nil
			})
			before := count(t, c, "echo").Started

			body := bytes.Repeat([]byte("0123456789abcdef"), 10*mib/16)
			calls, again := 0, 0
			for ; calls < 100 && again < 3; calls++ {
				resp := post(t, url(a, "echo"), body)
				got, err := io.ReadAll(resp.Body)
				if err != nil || resp.StatusCode != http.StatusOK || sha256.Sum256(got) != sha256.Sum256(body) {
					t.Fatalf("status %d, %d bytes, %v: %.200s", resp.StatusCode, len(got), err, got)
				}
				if ran := resp.Header.Get("X-P2pfaas-Peer"); ran != c.Peer {
					t.Errorf("ran on %s, want the node that was free", ran)
				}
				if strings.Contains(resp.Header.Get("X-P2pfaas-Path"), "attempts=2") {
					again++
				}
			}
			t.Logf("%d of %d calls were refused by B first", again, calls)
			if again == 0 {
				t.Error("B was never asked: this tests nothing")
			}
			if got := count(t, c, "echo").Started - before; got != calls {
				t.Errorf("%d calls ran %d times", calls, got)
			}
			release.Close()
			if err := <-done; err != nil {
				t.Errorf("the slow call: %v", err)
			}
		})
	}
}

func TestRefusalsAndErrorsAreClear(t *testing.T) {
	a, b := pair(t, "tcp", "--servers", "1", "--queue", "0")
	deploy(t, b, "sleep", "builtin:sleep", []*nodetest.Process{a}, "--weight", "1")
	hold := make(chan struct{})
	go func() {
		defer close(hold)
		resp, err := http.Post(url(b, "sleep")+"?duration=3s", "", nil)
		if err != nil {
			t.Errorf("the call that fills B: %v", err)
			return
		}
		defer resp.Body.Close()
		if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
			t.Errorf("the call that fills B: %d %s", resp.StatusCode, text)
		}
	}()
	nodetest.Eventually(t, "B is full", func() error {
		if n := b.Metric("p2pfaas_running"); n != 1 {
			return fmt.Errorf("%v running", n)
		}
		return nil
	})
	for _, c := range []struct {
		name, url string
		header    []string
		status    int
		want      []string
	}{
		{"full", url(a, "sleep"), nil, 429, []string{"again"}},
		{"unknown function", url(a, "slep"), nil, 404, []string{"slep", "sleep"}},
		{"bad name", url(a, "UPPER"), nil, 400, []string{"UPPER", "a-z"}},
		{"bad deadline", url(a, "sleep"), []string{"X-P2pfaas-Deadline", "soon"}, 400, []string{"soon", "250ms"}},
		{"as JSON", url(a, "slep"), []string{"Accept", "application/json"}, 404, []string{`"code"`, `"text"`, "slep"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := post(t, c.url, nil, c.header...)
			text, _ := io.ReadAll(resp.Body)
			t.Logf("%d %s", resp.StatusCode, text)
			if resp.StatusCode != c.status {
				t.Errorf("status %d, want %d", resp.StatusCode, c.status)
			}
			for _, want := range c.want {
				if !strings.Contains(string(text), want) {
					t.Errorf("the text does not mention %q", want)
				}
			}
			if c.status == 429 && resp.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if resp.Header.Get("X-Call-Id") == "" && c.status != 400 {
				t.Error("no X-Call-Id")
			}
		})
	}
	<-hold
}
