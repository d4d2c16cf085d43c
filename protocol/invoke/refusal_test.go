package invoke_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// bodyKinds are requests of 10 bytes to 10 MB, known and unknown.
func bodyKinds() map[string]*invoke.Request {
	kinds := map[string]*invoke.Request{}
	for _, size := range []int{10, 200 << 10, 10 << 20} {
		for _, known := range []bool{true, false} {
			r := post("")
			r.Size, r.Body = int64(size), io.LimitReader(&counter{}, int64(size))
			if !known {
				r.Size = -1
			}
			kinds[fmt.Sprintf("%d known=%v", size, known)] = r
		}
	}
	return kinds
}

func TestRefusal(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		var full atomic.Bool
		p := newPair(t, pairOptions{transport: transport}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
			if full.Load() {
				return nil, &invoke.Error{Code: invoke.CodeRefused, Text: "4 of 4 servers busy", RetryAfter: 3 * time.Second}
			}
			return echo(ctx, c)
		})
		for name, r := range bodyKinds() {
			t.Run(name, func(t *testing.T) {
				full.Store(true)
				_, err := p.client.Invoke(within(t), p.peer(), r)
				e := wantCode(t, err, invoke.CodeRefused)
				if !e.Remote || !invoke.NotStarted(err) || e.Text != "4 of 4 servers busy" || e.RetryAfter != 3*time.Second {
					t.Errorf("error %+v", e)
				}
				full.Store(false)
				if got := readAll(t, mustInvoke(t, p, post("next"))); got != "next" {
					t.Errorf("next answer %q", got)
				}
			})
		}
	})
}

func TestRefusalOfSmallBodyKeepsTheStream(t *testing.T) {
	p := newPair(t, pairOptions{}, func(context.Context, *invoke.Call) (*invoke.Answer, error) {
		return nil, &invoke.Error{Code: invoke.CodeNoFunction}
	})
	var first string
	for range 3 {
		_, err := p.client.Invoke(within(t), p.peer(), post("small"))
		wantCode(t, err, invoke.CodeNoFunction)
		ids := streamIDs(p)
		if len(ids) != 1 || first != "" && ids[0] != first {
			t.Fatalf("streams %v, the first was %q", ids, first)
		}
		first = ids[0]
	}
}

func streamIDs(p *pair) []string {
	var ids []string
	for _, c := range p.a.Network().Conns() {
		for _, s := range c.GetStreams() {
			if s.Protocol() == invoke.ID {
				ids = append(ids, s.ID())
			}
		}
	}
	return ids
}

// TestEarlyAnswer has a function that answers before it has read the body: the
// answer arrives whole, however large it is.
func TestEarlyAnswer(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		for _, answer := range []int{0, 20, 3 << 20} {
			p := newPair(t, pairOptions{transport: transport}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
				c.Start()
				return text(413, string(pattern(answer))), nil
			})
			for name, r := range bodyKinds() {
				t.Run(fmt.Sprintf("%d/%s", answer, name), func(t *testing.T) {
					a := mustInvoke(t, p, r)
					if body := readAll(t, a); a.Status != 413 || body != string(pattern(answer)) {
						t.Fatalf("status %d, %d bytes of %d", a.Status, len(body), answer)
					}
				})
			}
		}
	})
}

// TestEarlyAnswerReadSlowly leaves the answer unread until the server is done
// with the stream: it is not lost.
func TestEarlyAnswerReadSlowly(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		const size = 200 << 10 // fits the window, so that the server does not wait for us
		p := newPair(t, pairOptions{transport: transport}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			return text(413, string(pattern(size))), nil
		})
		r := post("")
		r.Size, r.Body = 100<<20, io.LimitReader(&counter{}, 100<<20)
		a := mustInvoke(t, p, r)
		eventually(t, "the server has closed the stream", func() bool { return streams(p.b) == 0 })
		if body := readAll(t, a); body != string(pattern(size)) {
			t.Fatalf("%d bytes of %d", len(body), size)
		}
	})
}

func TestHandlerErrors(t *testing.T) {
	secret := errors.New("disk /dev/sda1 is full")
	p := newPair(t, pairOptions{}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
		switch c.Function {
		case "panics":
			panic("oh no")
		case "nothing":
			return nil, nil
		case "status":
			return &invoke.Answer{Status: 7}, nil
		case "header":
			return &invoke.Answer{Status: 200, Header: invoke.Header{{Name: "A", Value: "x\r\nB: y"}}}, nil
		}
		return nil, fmt.Errorf("open: %w", secret)
	})
	for _, function := range []string{"panics", "nothing", "status", "header", "error"} {
		t.Run(function, func(t *testing.T) {
			r := post("x")
			r.Function = function
			_, err := p.client.Invoke(within(t), p.peer(), r)
			if e := wantCode(t, err, invoke.CodeFailed); e.Text == secret.Error() {
				t.Errorf("told %q", e.Text)
			}
		})
	}
}

type gateFunc func(function string) error

func (g gateFunc) Allow(_ context.Context, _ peer.ID, function string) error { return g(function) }

func TestGate(t *testing.T) {
	gate := gateFunc(func(function string) error {
		if function == "secret" {
			return errors.New("no")
		}
		return nil
	})
	p := newPair(t, pairOptions{gate: gate}, echo)
	r := post("x")
	r.Function = "secret"
	_, err := p.client.Invoke(within(t), p.peer(), r)
	wantCode(t, err, invoke.CodeDenied)
	if got := readAll(t, mustInvoke(t, p, post("x"))); got != "x" {
		t.Fatalf("answer %q", got)
	}
}

func TestLoops(t *testing.T) {
	p := newPair(t, pairOptions{}, echo)
	r := post("x")
	r.Hops = []peer.ID{p.b.ID(), p.a.ID()}
	_, err := p.client.Invoke(within(t), p.peer(), r)
	if e := wantCode(t, err, invoke.CodeLoop); !e.Remote {
		t.Errorf("error %+v, want one from the peer", e)
	}
	r = post("x")
	for range 17 {
		r.Hops = append(r.Hops, p.a.ID())
	}
	_, err = p.client.Invoke(within(t), p.peer(), r)
	wantCode(t, err, invoke.CodeLoop)
}

func TestBadRequests(t *testing.T) {
	p := newPair(t, pairOptions{}, echo)
	for name, change := range map[string]func(*invoke.Request){
		"no function":  func(r *invoke.Request) { r.Function = "" },
		"method":       func(r *invoke.Request) { r.Method = "GE T" },
		"path":         func(r *invoke.Request) { r.Path = "no/slash" },
		"path CRLF":    func(r *invoke.Request) { r.Path = "/a\r\nHost: b" },
		"header name":  func(r *invoke.Request) { r.Header = invoke.Header{{Name: "a b", Value: "c"}} },
		"header value": func(r *invoke.Request) { r.Header = invoke.Header{{Name: "a", Value: "c\nd"}} },
		"too large":    func(r *invoke.Request) { r.Header = invoke.Header{{Name: "a", Value: string(pattern(2 << 20))}} },
		"no body":      func(r *invoke.Request) { r.Body = nil },
	} {
		t.Run(name, func(t *testing.T) {
			r := post("x")
			change(r)
			_, err := p.client.Invoke(within(t), p.peer(), r)
			wantCode(t, err, invoke.CodeBadRequest)
		})
	}
}
