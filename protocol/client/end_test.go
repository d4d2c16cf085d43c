package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/client"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestDeadlineEndsFunction(t *testing.T) {
	b := newBlocker()
	c := dial(t, client.Dialer{}, newNode(t, functions{"block": b.run}))
	for _, repeat := range []bool{false, true} {
		_, err := c.Invoke(t.Context(), &client.Request{Function: "block", Deadline: 100 * time.Millisecond, Idempotent: repeat})
		want(t, err, client.ErrDeadline, context.DeadlineExceeded)
		if call := receive(t, "start", b.started); call.Deadline <= 0 || call.Deadline > 100*time.Millisecond {
			t.Errorf("the node was told %v", call.Deadline)
		}
		receive(t, "end of the function", b.ended)
		if len(b.started) != 0 {
			t.Error("it was tried again after its deadline")
		}
	}
}

func TestCancelReachesFunction(t *testing.T) {
	b := newBlocker()
	c := dial(t, client.Dialer{}, newNode(t, functions{"block": b.run}))
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { // ends when ctx does
		_, err := c.Invoke(ctx, &client.Request{Function: "block", Body: bytes.NewReader([]byte("x")), Idempotent: true})
		failed <- err
	}()
	receive(t, "start", b.started)
	cancel()
	want(t, receive(t, "error", failed), client.ErrCancelled, context.Canceled)
	var cause *invoke.Error
	if err := receive(t, "end of the function", b.ended); !errors.As(err, &cause) || cause.Code != invoke.CodeCancelled {
		t.Errorf("the function was ended by %v, want CodeCancelled", err)
	}
}

// endless answers at once, with a body that goes on until the caller goes away.
func endless(ended chan<- error) func(context.Context, *invoke.Call) (*invoke.Answer, error) {
	return func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
		c.Start()
		r, w := io.Pipe()
		go func() { // ends with ctx
			_, _ = io.WriteString(w, "begun")
			<-ctx.Done()
			ended <- context.Cause(ctx)
			w.CloseWithError(io.ErrUnexpectedEOF)
		}()
		return &invoke.Answer{Status: 200, Size: -1, Body: r}, nil
	}
}

func TestEndOfCallerDuringAnswer(t *testing.T) {
	ended := make(chan error, 1)
	c := dial(t, client.Dialer{}, newNode(t, functions{"endless": endless(ended)}))
	begin := func(ctx context.Context, r *client.Request) *client.Response {
		t.Helper()
		a, err := c.Invoke(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(a.Body, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		return a
	}
	t.Run("cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a := begin(ctx, &client.Request{Function: "endless"})
		defer a.Body.Close()
		cancel()
		_, err := io.ReadAll(a.Body)
		want(t, err, client.ErrTruncated, client.ErrCancelled, context.Canceled)
		receive(t, "end of the function", ended)
	})
	t.Run("deadline", func(t *testing.T) {
		a := begin(t.Context(), &client.Request{Function: "endless", Deadline: 2 * time.Second})
		defer a.Body.Close()
		_, err := io.ReadAll(a.Body)
		want(t, err, client.ErrTruncated, client.ErrDeadline)
		receive(t, "end of the function", ended)
	})
	t.Run("close", func(t *testing.T) {
		a := begin(t.Context(), &client.Request{Function: "endless"})
		if err := a.Body.Close(); err != nil {
			t.Error(err)
		}
		receive(t, "end of the function", ended)
	})
}

// However an answer is cut, its reader hears of it, each time it asks.
func TestTruncatedAnswer(t *testing.T) {
	half := func(size int64) func(context.Context, *invoke.Call) (*invoke.Answer, error) {
		return func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			c.Start()
			body := io.MultiReader(strings.NewReader("half"), failing{})
			return &invoke.Answer{Status: 200, Size: size, Body: io.NopCloser(body)}, nil
		}
	}
	short := func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
		c.Start()
		return &invoke.Answer{Status: 200, Size: 8, Body: io.NopCloser(strings.NewReader("half"))}, nil
	}
	n := newNode(t, functions{"known": half(8), "unknown": half(-1), "short": short, "echo": echo})
	c := dial(t, client.Dialer{}, n)
	for _, function := range []string{"known", "unknown", "short"} {
		for range 5 {
			a, err := c.Invoke(t.Context(), &client.Request{Function: function, Idempotent: true})
			if err != nil { // the cut overtook the answer
				want(t, err, client.ErrTruncated)
				continue
			}
			_, err = io.ReadAll(a.Body)
			want(t, err, client.ErrTruncated)
			if _, again := a.Body.Read(make([]byte, 1)); !errors.Is(again, client.ErrTruncated) {
				t.Errorf("%s: then %v", function, again)
			}
			a.Body.Close()
		}
		if _, err := c.Call(t.Context(), function, nil); !errors.Is(err, client.ErrTruncated) {
			t.Errorf("%s: Call returned %v", function, err)
		}
	}
	if got, err := c.Call(t.Context(), "echo", []byte("after")); string(got) != "after" || err != nil {
		t.Errorf("afterwards: %q %v", got, err)
	}
}

func TestNodeDiesDuringAnswer(t *testing.T) {
	n := newNode(t, functions{"endless": endless(make(chan error, 1))})
	c := dial(t, client.Dialer{}, n)
	a, err := c.Invoke(t.Context(), &client.Request{Function: "endless"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if _, err := io.ReadFull(a.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if err := n.end(); err != nil {
		t.Error(err)
	}
	_, err = io.ReadAll(a.Body)
	want(t, err, client.ErrTruncated)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("function died") }
