package client_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/client"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestDeadNodeIsPassedOver(t *testing.T) {
	first, second := newNode(t, functions{"f": says("first")}), newNode(t, functions{"f": says("second")})
	c := dial(t, client.Dialer{}, first, second)
	if err := first.end(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		a, err := c.Invoke(t.Context(), &client.Request{Function: "f", Body: strings.NewReader("b"), Idempotent: true})
		if got := readAll(t, a, err); got != "second" {
			t.Errorf("%q", got)
		}
	}
}

func TestDialWithDeadNodes(t *testing.T) {
	dead, alive := newNode(t, nil), newNode(t, functions{"f": says("alive")})
	if err := dead.end(); err != nil {
		t.Fatal(err)
	}
	c := dial(t, client.Dialer{}, dead, alive)
	if got, err := c.Call(t.Context(), "f", nil); string(got) != "alive" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	_, err := client.Dial(t.Context(), dead.addr)
	if !errors.Is(err, client.ErrNotReached) || !strings.Contains(err.Error(), dead.id.String()) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want one line, ErrNotReached, that names the node", err)
	}
	for _, addr := range []string{"", "127.0.0.1:18081", "/ip4/127.0.0.1/tcp/1"} {
		if _, err := client.Dial(t.Context(), addr); err == nil || !strings.Contains(err.Error(), "/p2p/") {
			t.Errorf("%q: %v, want an error that shows an address", addr, err)
		}
	}
	if _, err := client.Dial(t.Context()); err == nil {
		t.Error("no address, and no error")
	}
}

func TestDialOtherMesh(t *testing.T) {
	n := newNode(t, nil) // of the mesh "default"
	_, err := client.Dialer{Mesh: "other"}.Dial(t.Context(), n.addr)
	if !errors.Is(err, client.ErrNotReached) || !strings.Contains(err.Error(), `mesh "other"`) {
		t.Errorf("%v, want ErrNotReached that names the mesh", err)
	}
}

// A refused body of any kind goes to the next node as it was.
func TestRefusedGoesElsewhere(t *testing.T) {
	var asked sync.Map // call ID -> whether it was refused once
	var ran atomic.Int32
	f := functions{"echo": func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
		if _, again := asked.LoadOrStore(c.CallID, true); !again {
			return nil, &invoke.Error{Code: invoke.CodeRefused, Text: "queue full", RetryAfter: time.Second}
		}
		ran.Add(1)
		return echo(ctx, c)
	}}
	c := dial(t, client.Dialer{}, newNode(t, f), newNode(t, f))
	for _, size := range []int{0, 10, 100 << 10, 2 << 20} {
		body := strings.Repeat("x", size)
		for name, r := range map[string]*client.Request{
			"seeker":  {Function: "echo", Body: strings.NewReader(body)},
			"stream":  {Function: "echo", Body: io.MultiReader(strings.NewReader(body))},
			"of size": {Function: "echo", Body: io.MultiReader(strings.NewReader(body)), Size: int64(size)},
		} {
			ran.Store(0)
			a, err := c.Invoke(t.Context(), r)
			if got := readAll(t, a, err); got != body || ran.Load() != 1 {
				t.Errorf("%s of %d bytes: %d came back, ran %d times", name, size, len(got), ran.Load())
			}
		}
	}
}

func TestAllRefuse(t *testing.T) {
	var asked atomic.Int32
	refuse := func(context.Context, *invoke.Call) (*invoke.Answer, error) {
		asked.Add(1)
		return nil, &invoke.Error{Code: invoke.CodeRefused, Text: "queue full", RetryAfter: 3 * time.Second}
	}
	nodes := []*node{newNode(t, functions{"f": refuse}), newNode(t, functions{"f": refuse}), newNode(t, functions{"f": refuse})}
	c := dial(t, client.Dialer{}, nodes...)
	_, err := c.Invoke(t.Context(), &client.Request{Function: "f"})
	e := want(t, err, client.ErrRefused)
	if e.RetryAfter != 3*time.Second || e.Attempts != 3 || asked.Load() != 3 || !e.NotStarted {
		t.Errorf("%+v, %d nodes asked", e, asked.Load())
	}
	asked.Store(0)
	never := dial(t, client.Dialer{Retry: client.RetryNever}, nodes...)
	_, err = never.Invoke(t.Context(), &client.Request{Function: "f", Idempotent: true})
	if want(t, err, client.ErrRefused); asked.Load() != 1 {
		t.Errorf("RetryNever asked %d nodes", asked.Load())
	}
}

// A node dies while the function runs on it: only what may run twice is run
// again.
func TestUnknownOutcome(t *testing.T) {
	for name, row := range map[string]struct {
		policy client.Retry
		r      client.Request
		again  bool
	}{
		"post":       {client.RetryIdempotent, client.Request{}, false},
		"idempotent": {client.RetryIdempotent, client.Request{Idempotent: true}, true},
		"get":        {client.RetryIdempotent, client.Request{Method: "GET"}, true},
		"always":     {client.RetryAlways, client.Request{}, true},
		"never":      {client.RetryNever, client.Request{Idempotent: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			victim := make(chan int, 1)
			var nodes []*node
			for i := range 2 {
				nodes = append(nodes, newNode(t, functions{"f": func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
					if calls.Add(1) > 1 {
						return says("again")(ctx, c)
					}
					c.Start()
					victim <- i
					<-ctx.Done()
					return nil, context.Cause(ctx)
				}}))
			}
			c := dial(t, client.Dialer{Retry: row.policy}, nodes...)
			row.r.Function = "f"
			type result struct {
				a   *client.Response
				err error
			}
			results := make(chan result, 1)
			go func() { // ends when the node does
				a, err := c.Invoke(t.Context(), &row.r)
				results <- result{a, err}
			}()
			if err := nodes[receive(t, "start", victim)].end(); err != nil {
				t.Error(err)
			}
			got := receive(t, "result", results)
			if row.again {
				if s := readAll(t, got.a, got.err); s != "again" || calls.Load() != 2 {
					t.Errorf("%q, ran %d times", s, calls.Load())
				}
				return
			}
			if e := want(t, got.err, client.ErrUnknownOutcome); e.NotStarted || calls.Load() != 1 {
				t.Errorf("%+v, ran %d times", e, calls.Load())
			}
		})
	}
}

func TestNoNodeLeft(t *testing.T) {
	n := newNode(t, functions{"f": says("ok")})
	c := dial(t, client.Dialer{}, n)
	if _, err := c.Call(t.Context(), "f", nil); err != nil {
		t.Fatal(err)
	}
	if err := n.end(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; {
		_, err := c.Invoke(t.Context(), &client.Request{Function: "f", Idempotent: true})
		if errors.Is(err, client.ErrNotReached) {
			return
		}
		// The end of the node may not have been noticed when it was asked.
		if err == nil || time.Now().After(end) {
			t.Fatalf("%v, want ErrNotReached", err)
		}
	}
}
