package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

const mib = 1 << 20

// random is n bytes that are not kept, and their sum.
func random(n int64) (io.Reader, hash.Hash) {
	sum := sha256.New()
	return io.TeeReader(io.LimitReader(rand.Reader, n), sum), sum
}

// echo sends n bytes through p and checks that they come back.
func echo(p *nodetest.Process, n int64) error {
	body, sent := random(n)
	req, err := http.NewRequest(http.MethodPost, url(p, "echo"), body)
	if err != nil {
		return err
	}
	req.ContentLength = n
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got := sha256.New()
	if m, err := io.Copy(got, resp.Body); err != nil || m != n {
		return fmt.Errorf("status %d, %d bytes of %d came back: %w", resp.StatusCode, m, n, err)
	}
	if !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
		return errors.New("the bytes that came back are others")
	}
	return nil
}

func TestLargeBodiesStreamThroughAHop(t *testing.T) {
	a, b := pair(t, "tcp")
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{a})
	if err := echo(a, 64*mib); err != nil {
		t.Fatal(err)
	}
	limits(t, "one body of 64 MiB", 100*mib, a, b)

	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := echo(a, 64*mib); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	limits(t, "20 bodies of 64 MiB at once", 250*mib, a, b)
}

func limits(t *testing.T, what string, limit int64, nodes ...*nodetest.Process) {
	t.Helper()
	for _, p := range nodes {
		m := p.PeakMemory()
		t.Logf("after %s: node %s had at most %d MiB resident", what, p.Peer[len(p.Peer)-6:], m/mib)
		if m > limit {
			t.Errorf("more than %d MiB", limit/mib)
		}
	}
}

func TestHangUpEndsTheFunctionsRequest(t *testing.T) {
	for transport := range transports {
		t.Run(transport, func(t *testing.T) {
			a, b := pair(t, transport)
			deploy(t, b, "sleep", "builtin:sleep", []*nodetest.Process{a})
			ctx, hangUp := context.WithCancel(t.Context())
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				req, _ := http.NewRequestWithContext(ctx, http.MethodPost, url(a, "sleep")+"?duration=30s", strings.NewReader("x"))
				resp, err := http.DefaultClient.Do(req)
				if err == nil {
					resp.Body.Close()
				}
			}()
			nodetest.Eventually(t, "it runs", func() error {
				if c := count(t, b, "sleep"); c.InFlight != 1 {
					return fmt.Errorf("%+v", c)
				}
				return nil
			})
			began := time.Now()
			hangUp()
			<-gone
			nodetest.Eventually(t, "it is cancelled", func() error {
				if c := count(t, b, "sleep"); c.Cancelled != 1 || c.InFlight != 0 {
					return fmt.Errorf("%+v", c)
				}
				return nil
			})
			t.Logf("cancelled at the function within %v", time.Since(began))
			nodetest.Eventually(t, "its server is free", func() error {
				if n := b.Metric("p2pfaas_running"); n != 0 {
					return fmt.Errorf("%v running", n)
				}
				return nil
			})
		})
	}
}

func TestDeadlinePasses(t *testing.T) {
	a, b := pair(t, "tcp")
	deploy(t, b, "sleep", "builtin:sleep", []*nodetest.Process{a})
	began := time.Now()
	resp := post(t, url(a, "sleep")+"?duration=5s", nil, "X-P2pfaas-Deadline", "200ms")
	took := time.Since(began)
	text, _ := io.ReadAll(resp.Body)
	t.Logf("answered after %v: %d %s", took, resp.StatusCode, text)
	if resp.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("status %d, want 504", resp.StatusCode)
	}
	if took > 4*time.Second {
		t.Errorf("answered after %v, the function's whole time", took)
	}
	for _, p := range []*nodetest.Process{a, b} {
		nodetest.Eventually(t, "its server is free", func() error {
			if n := p.Metric("p2pfaas_running"); n != 0 {
				return fmt.Errorf("%v running", n)
			}
			return nil
		})
	}
}

func TestEventsArriveOneByOne(t *testing.T) {
	a, b := pair(t, "tcp")
	deploy(t, b, "stream", "builtin:stream", []*nodetest.Process{a})
	req, _ := http.NewRequest(http.MethodGet, url(a, "stream")+"?n=5&every=200ms", nil)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var at []time.Duration
	began := time.Now()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") {
			at = append(at, time.Since(began).Round(time.Millisecond))
		}
	}
	t.Logf("events arrived at %v", at)
	if len(at) != 5 {
		t.Fatalf("%d events, want 5", len(at))
	}
	if spread := at[4] - at[0]; spread < 400*time.Millisecond {
		t.Errorf("all came within %v: they were held back", spread)
	}
}

func TestWebSocketThroughAHop(t *testing.T) {
	a, b := pair(t, "tcp")
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{a})
	ctx, cancel := context.WithTimeout(t.Context(), nodetest.Patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+a.HTTP+"/function/echo/socket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for i := range 3 {
		want := fmt.Sprintf("message %d", i)
		if err := conn.Write(ctx, websocket.MessageText, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := conn.Read(ctx); err != nil || string(got) != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("close: %v", err)
	}
}
