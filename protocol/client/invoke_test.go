package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/protocol/client"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestCall(t *testing.T) {
	n := newNode(t, functions{
		"echo": echo,
		"teapot": func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			c.Start()
			a := text("short and stout")
			a.Status = http.StatusTeapot
			return a, nil
		},
	})
	c := dial(t, client.Dialer{}, n)
	for _, body := range []string{"", "hello", strings.Repeat("x", 3<<20)} {
		got, err := c.Call(t.Context(), "echo", []byte(body))
		if err != nil || string(got) != body {
			t.Errorf("%d bytes, %v; want %d", len(got), err, len(body))
		}
	}
	var status *client.StatusError
	if _, err := c.Call(t.Context(), "teapot", nil); !errors.As(err, &status) || status.Status != 418 || string(status.Body) != "short and stout" {
		t.Errorf("%v, want a StatusError", err)
	}
}

// All that a request carries reaches the function, and all that an answer
// carries the caller.
func TestRequestAndAnswer(t *testing.T) {
	seen := make(chan invoke.Call, 1)
	n := newNode(t, functions{"f.edge": func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
		c.Start()
		got := *c
		got.Header = slices.Clone(c.Header)
		seen <- got
		return &invoke.Answer{
			Status:  201,
			Header:  invoke.Header{{Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"}},
			Size:    -1,
			Body:    io.NopCloser(strings.NewReader("done")),
			Trailer: func() invoke.Header { return invoke.Header{{Name: "X-Sum", Value: "7"}} },
			Hops:    []invoke.Hop{{Peer: c.From, Policy: "spread", Service: time.Second}},
		}, nil
	}})
	c := dial(t, client.Dialer{}, n)
	a, err := c.Invoke(t.Context(), &client.Request{
		Function: "f.edge", Method: "PUT", Path: "/a%2Fb", Query: "q=1&q=2", Host: "example.org",
		Header: http.Header{"X-Many": {"1", "2"}}, Deadline: time.Minute, Parent: "p",
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.Trailer != nil {
		t.Errorf("trailer before the end: %v", a.Trailer)
	}
	if body := readAll(t, a, nil); body != "done" || a.Status != 201 {
		t.Errorf("%d %q", a.Status, body)
	}
	if d := cmp.Diff(http.Header{"Set-Cookie": {"a=1", "b=2"}}, a.Header); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(http.Header{"X-Sum": {"7"}}, a.Trailer); d != "" {
		t.Error(d)
	}
	got := receive(t, "the call", seen)
	if len(a.Hops) != 1 || a.Ran != got.From.String() || a.Hops[0].Service != time.Second {
		t.Errorf("ran %s, hops %+v", a.Ran, a.Hops)
	}
	if a.CallID == "" || got.CallID != a.CallID {
		t.Errorf("call id %q, at the node %q", a.CallID, got.CallID)
	}
	if got.Method != "PUT" || got.Path != "/a%2Fb" || got.Query != "q=1&q=2" || got.Host != "example.org" || got.Parent != "p" || !got.MayRepeat {
		t.Errorf("request %+v", got.Request)
	}
	if got.Deadline <= 0 || got.Deadline > time.Minute {
		t.Errorf("deadline %v", got.Deadline)
	}
	if d := cmp.Diff(invoke.Header{{Name: "X-Many", Value: "1"}, {Name: "X-Many", Value: "2"}}, got.Header); d != "" {
		t.Error(d)
	}
}

// Each piece comes back before the next one is sent.
func TestStreamsBothWays(t *testing.T) {
	c := dial(t, client.Dialer{}, newNode(t, functions{"echo": echo}))
	r, w := io.Pipe()
	go w.Write([]byte("piece 0")) // ends when the client reads it, or the pipe is closed
	a, err := c.Invoke(t.Context(), &client.Request{Function: "echo", Body: r})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	defer w.Close()
	piece := make([]byte, 7)
	for i := range 20 {
		if _, err := io.ReadFull(a.Body, piece); err != nil || string(piece) != "piece "+string(rune('0'+i%10)) {
			t.Fatalf("%d: %q %v", i, piece, err)
		}
		if _, err := w.Write([]byte("piece " + string(rune('0'+(i+1)%10)))); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	if rest, err := io.ReadAll(a.Body); err != nil || string(rest) != "piece 0" {
		t.Errorf("%q %v", rest, err)
	}
}

func TestLargeBodies(t *testing.T) {
	c := dial(t, client.Dialer{}, newNode(t, functions{"echo": echo}))
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<20/2) // 8 MiB
	for name, source := range map[string]io.Reader{
		"known size":   bytes.NewReader(body),
		"unknown size": io.MultiReader(bytes.NewReader(body)),
		"odd pieces":   iotest.HalfReader(bytes.NewReader(body)),
	} {
		a, err := c.Invoke(t.Context(), &client.Request{Function: "echo", Body: source})
		if got := readAll(t, a, err); sha256.Sum256([]byte(got)) != sha256.Sum256(body) {
			t.Errorf("%s: %d bytes came back changed", name, len(got))
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	c := dial(t, client.Dialer{}, newNode(t, functions{"echo": echo}))
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for range 20 {
				body := strings.Repeat(string(rune('a'+i%26)), 1+i*100)
				got, err := c.Call(t.Context(), "echo", []byte(body))
				if err != nil || string(got) != body {
					t.Errorf("%d bytes, %v; want %d", len(got), err, len(body))
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestErrorsOverTheWire(t *testing.T) {
	f := functions{}
	rows := map[string]struct {
		code       invoke.Code
		kind       error
		notStarted bool
	}{
		"refused":     {invoke.CodeRefused, client.ErrRefused, true},
		"draining":    {invoke.CodeDraining, client.ErrRefused, true},
		"expired":     {invoke.CodeExpired, client.ErrDeadline, true},
		"denied":      {invoke.CodeDenied, client.ErrDenied, true},
		"bad":         {invoke.CodeBadRequest, client.ErrBadRequest, true},
		"unavailable": {invoke.CodeUnavailable, client.ErrUnavailable, true},
		"failed":      {invoke.CodeFailed, client.ErrFailed, false},
		"unknown":     {invoke.CodeUnknown, client.ErrUnknownOutcome, false},
	}
	for name, row := range rows {
		f[name] = fails(invoke.Error{Code: row.code, Text: "text of " + name, RetryAfter: 2 * time.Second})
	}
	n := newNode(t, f)
	c := dial(t, client.Dialer{}, n)
	for name, row := range rows {
		_, err := c.Invoke(t.Context(), &client.Request{Function: name})
		e := want(t, err, row.kind)
		if e.NotStarted != row.notStarted || e.Text != "text of "+name || e.Node != n.id.String() || e.CallID == "" || e.Attempts != 1 {
			t.Errorf("%s: %+v", name, e)
		}
		if row.code == invoke.CodeRefused && e.RetryAfter != 2*time.Second {
			t.Errorf("%s: retry after %v", name, e.RetryAfter)
		}
	}
	_, err := c.Invoke(t.Context(), &client.Request{Function: "absent"})
	if want(t, err, client.ErrNoFunction); !strings.Contains(err.Error(), "invoke absent") {
		t.Errorf("%v does not name the function", err)
	}
	_, err = c.Invoke(t.Context(), &client.Request{})
	want(t, err, client.ErrBadRequest)
}

func TestBrokenRequestBody(t *testing.T) {
	broken := errors.New("disk gone")
	c := dial(t, client.Dialer{}, newNode(t, functions{"f": says("ran")}))
	body := io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken))
	_, err := c.Invoke(t.Context(), &client.Request{Function: "f", Body: body, Idempotent: true})
	want(t, err, client.ErrBody, broken)
}

func TestClose(t *testing.T) {
	b := newBlocker()
	c := dial(t, client.Dialer{}, newNode(t, functions{"block": b.run}))
	failed := make(chan error, 1)
	go func() { // ends with the client
		_, err := c.Invoke(t.Context(), &client.Request{Function: "block", Idempotent: true})
		failed <- err
	}()
	receive(t, "start", b.started)
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := receive(t, "error", failed); !errors.Is(err, client.ErrClosed) {
		t.Errorf("under way: %v, want ErrClosed", err)
	}
	receive(t, "end of the function", b.ended)
	if _, err := c.Call(t.Context(), "block", nil); !errors.Is(err, client.ErrClosed) {
		t.Errorf("after Close: %v, want ErrClosed", err)
	}
}
