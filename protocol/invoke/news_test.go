package invoke_test

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// gossip tells a count and remembers what it heard.
type gossip struct {
	name uint64

	mu    sync.Mutex
	told  uint64
	heard []load.News
	from  map[peer.ID]int
}

func (g *gossip) Fill(n *load.News) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told++
	n.Has = true
	n.Sender = load.Report{Incarnation: g.name, Counter: g.told, Speed: 1}
	n.Others = append(n.Others[:0], load.Entry{Peer: load.Key(g.name)})
}

func (g *gossip) Hear(from peer.ID, n *load.News) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := *n
	kept.Others = append([]load.Entry(nil), n.Others...)
	g.heard = append(g.heard, kept)
	if g.from == nil {
		g.from = map[peer.ID]int{}
	}
	g.from[from]++
}

func TestNewsRideOnEveryMessage(t *testing.T) {
	a, b := &gossip{name: 1}, &gossip{name: 2}
	p := newPair(t, pairOptions{client: invoke.Config{News: a, Heard: a}, server: invoke.Config{News: b, Heard: b}},
		func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			c.Start() // tells progress: the body is not whole
			if _, err := io.Copy(io.Discard, c.Body); err != nil {
				return nil, err
			}
			return &invoke.Answer{Status: 200, Size: -1, Body: io.NopCloser(io.LimitReader(&counter{}, 10))}, nil
		})
	slow, more := io.Pipe()
	r := post("")
	r.Size, r.Body = -1, slow
	x, err := p.client.Open(within(t), p.peer(), r)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := x.Wait(func(invoke.Progress) { _ = more.Close() })
	if err != nil {
		t.Fatal(err)
	}
	readAll(t, answer)

	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.heard); n < 3 || a.from[p.peer()] != n { // progress, answer, trailer
		t.Fatalf("client heard %d reports, from %v", n, a.from)
	}
	for i, n := range a.heard {
		if !n.Has || n.Sender.Incarnation != 2 || n.Sender.Counter != uint64(i+1) {
			t.Errorf("report %d is %+v", i, n)
		}
	}
	if others := a.heard[len(a.heard)-2].Others; len(others) != 1 || others[0].Peer != 2 {
		t.Errorf("the answer told of others %v", others)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.heard) != 2 || b.heard[0].Sender.Incarnation != 1 || len(b.heard[0].Others) != 1 { // request, trailer
		t.Errorf("server heard %+v", b.heard)
	}
}

// TestContextErrorsAreTold: a handler that returns its context's error tells
// the reason with it.
func TestContextErrorsAreTold(t *testing.T) {
	p := newPair(t, pairOptions{}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
		c.Start()
		if d, ok := ctx.Deadline(); !ok || time.Until(d) > time.Minute {
			t.Errorf("deadline %v, %v", d, ok)
		}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	r := post("x")
	r.Deadline = 30 * time.Millisecond
	_, err := p.client.Invoke(within(t), p.peer(), r)
	if e := wantCode(t, err, invoke.CodeDeadline); !e.Remote {
		t.Errorf("error %+v, want the server's", e)
	}
}

// TestEventsArriveOneByOne: nothing waits for the end of a chunked body.
func TestEventsArriveOneByOne(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		seen := make(chan struct{})
		p := newPair(t, pairOptions{transport: transport}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			c.Start()
			pr, pw := io.Pipe()
			go func() {
				<-seen // the header
				for _, event := range []string{"one", "two", "three"} {
					_, _ = pw.Write([]byte(event))
					<-seen
				}
				_ = pw.Close()
			}()
			return &invoke.Answer{Status: 200, Size: -1, Body: pr}, nil
		})
		a := mustInvoke(t, p, post(""))
		seen <- struct{}{}
		buf := make([]byte, 10)
		for _, event := range []string{"one", "two", "three"} {
			n, err := a.Body.Read(buf)
			if err != nil || string(buf[:n]) != event {
				t.Fatalf("read %q, %v", buf[:n], err)
			}
			seen <- struct{}{}
		}
		readAll(t, a)
	})
}

// TestFullDuplex: the answer comes while the body is sent, both ways.
func TestFullDuplex(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, echo)
		pr, pw := io.Pipe()
		r := post("")
		r.Size, r.Body = -1, pr
		a := mustInvoke(t, p, r) // the header comes before any of the body
		buf := make([]byte, 10)
		for _, word := range []string{"ping", "pong", "end"} {
			if _, err := pw.Write([]byte(word)); err != nil {
				t.Fatal(err)
			}
			n, err := a.Body.Read(buf)
			if err != nil || string(buf[:n]) != word {
				t.Fatalf("read %q, %v", buf[:n], err)
			}
		}
		_ = pw.Close()
		if rest := readAll(t, a); rest != "" {
			t.Errorf("rest %q", rest)
		}
	})
}

func TestHeadHasNoBody(t *testing.T) {
	p := newPair(t, pairOptions{}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
		status := 200
		if c.Method != "HEAD" {
			status = 204
		}
		return &invoke.Answer{Status: status, Size: 1234, Body: io.NopCloser(io.LimitReader(&counter{}, 1234))}, nil
	})
	for _, method := range []string{"HEAD", "GET", "HEAD"} {
		r := post("")
		r.Method = method
		a := mustInvoke(t, p, r)
		if body := readAll(t, a); body != "" || !a.NoBody || a.Size != 1234 {
			t.Errorf("%s: %d bytes, no body %v, size %d", method, len(body), a.NoBody, a.Size)
		}
	}
	if n := streams(p.a); n != 1 {
		t.Errorf("%d streams", n)
	}
}
