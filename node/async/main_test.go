package async

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestMain(m *testing.M) {
	crashIfAsked()
	goleak.VerifyTestMain(m)
}

const (
	patience = 30 * time.Second
	self     = peer.ID("the node under test")
)

// function answers invocations, and remembers the calls.
type function struct {
	answer func(ctx context.Context, r *invoke.Request, body []byte) (*invoke.Answer, error)

	mu    sync.Mutex
	calls map[string]int // by ID
}

func (f *function) Invoke(ctx context.Context, r *invoke.Request, _ gateway.Options) (*invoke.Answer, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[r.CallID]++
	f.mu.Unlock()
	if f.answer == nil {
		return said(200, string(body)), nil
	}
	return f.answer(ctx, r, body)
}

func (f *function) count(id string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[id]
}

func said(status int, body string, header ...string) *invoke.Answer {
	a := &invoke.Answer{Status: status, Size: int64(len(body)), Body: io.NopCloser(bytes.NewReader([]byte(body)))}
	for i := 0; i+1 < len(header); i += 2 {
		a.Header = append(a.Header, invoke.Field{Name: header[i], Value: header[i+1]})
	}
	return a
}

// open makes and starts an Engine, which is closed when the test ends.
func open(t testing.TB, c Config) *Engine {
	t.Helper()
	e := stopped(t, c)
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e
}

// stopped makes an Engine that runs nothing.
func stopped(t testing.TB, c Config) *Engine {
	t.Helper()
	if c.Self == "" {
		c.Self = self
	}
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.Invoker == nil {
		c.Invoker = &function{}
	}
	c.retryWrite, c.fullPause, c.sweepEvery = 10*time.Millisecond, 10*time.Millisecond, 20*time.Millisecond
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// post has a call accepted.
func post(t testing.TB, e *Engine, c async.Call, body string) async.Status {
	t.Helper()
	s, _, err := e.Accept(t.Context(), callOf(c, body), bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func callOf(c async.Call, body string) async.Call {
	if c.Function == "" {
		c.Function = "fn"
	}
	c.Method, c.Size = "POST", int64(len(body))
	return c
}

func find(t testing.TB, e *Engine, id string) async.Status {
	t.Helper()
	s, _, err := e.local(t.Context(), id, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func resultOf(t testing.TB, e *Engine, id string) string {
	t.Helper()
	_, body, err := e.local(t.Context(), id, true)
	if err != nil || body == nil {
		t.Fatalf("result of %s: %v %v", id, body, err)
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// become waits for a call's state.
func become(t testing.TB, e *Engine, id string, want async.State) async.Status {
	t.Helper()
	var s async.Status
	eventually(t, fmt.Sprintf("call %s is %s", id, want), func() error {
		var err error
		if s, _, err = e.local(t.Context(), id, false); err != nil {
			return err
		}
		if s.State != want {
			return fmt.Errorf("it is %s: %s", s.State, s.Problem)
		}
		return nil
	})
	return s
}

func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%s: still not after %v: %v", what, patience, err)
		}
	}
}

// soon is a retry policy for tests on the real clock.
func soon(attempts int) func(string) RetryPolicy {
	return func(string) RetryPolicy {
		p := DefaultRetry()
		p.Attempts, p.MinWait, p.MaxWait = attempts, time.Millisecond, 5*time.Millisecond
		return p
	}
}

var errTest = errors.New("injected")
