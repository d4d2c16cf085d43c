package faastest_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/faastest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFakeConforms(t *testing.T) {
	faastest.Run(t, func(*testing.T) faas.Runtime { return new(faastest.Fake) },
		faastest.Images{Echo: "echo", Sleep: "sleep", Trailers: true})
}

var worker = faas.Name{Function: "worker", Namespace: faas.DefaultNamespace}

func deployed(t *testing.T, f *faastest.Fake) *faastest.Fake {
	t.Helper()
	if err := f.Deploy(t.Context(), faas.Function{Name: worker}); err != nil {
		t.Fatal(err)
	}
	return f
}

func call(ctx context.Context, f *faastest.Fake) (string, error) {
	resp, err := f.Invoke(ctx, &faas.Request{Name: worker, Method: "POST", Body: strings.NewReader("0123456789"), Size: 10})
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestFakeTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := deployed(t, &faastest.Fake{Service: time.Second, ColdStart: 3 * time.Second})
		f.SetService(worker, 2*time.Second)
		for replicas, want := range map[int]time.Duration{0: 5 * time.Second, 1: 2 * time.Second} {
			if err := f.Scale(t.Context(), worker, replicas); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			if got, err := call(t.Context(), f); err != nil || got != "0123456789" {
				t.Errorf("answer %q, error %v", got, err)
			}
			if took := time.Since(begun); took != want {
				t.Errorf("with %d replicas: took %v, want %v", replicas, took, want)
			}
		}
	})
}

func TestFakeHeedsItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := deployed(t, &faastest.Fake{Service: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		_, err := call(ctx, f)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, faas.ErrNotStarted) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begun); took != time.Second {
			t.Errorf("took %v", took)
		}
		if c := f.Counters(worker); c.Started != 1 || c.Cancelled != 1 || c.InFlight != 0 {
			t.Errorf("counters %+v", c)
		}
	})
}

func TestFakeHook(t *testing.T) {
	boom := errors.New("boom")
	refused := errors.Join(faas.ErrNotStarted, boom)
	tests := []struct {
		name    string
		act     faastest.Action
		body    string
		err     error
		started int64
	}{
		{"nothing", faastest.Action{}, "0123456789", nil, 1},
		{"fail", faastest.Action{Fail: boom}, "", boom, 1},
		{"refuse", faastest.Action{Fail: refused}, "", faas.ErrNotStarted, 0},
		{"cut", faastest.Action{Cut: true, CutAfter: 4}, "0123", io.ErrUnexpectedEOF, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := deployed(t, new(faastest.Fake))
			f.SetHook(func(*faas.Request) faastest.Action { return tt.act })
			body, err := call(t.Context(), f)
			if body != tt.body || !errors.Is(err, tt.err) {
				t.Errorf("body %q, error %v", body, err)
			}
			if c := f.Counters(worker); c.Started != tt.started || c.InFlight != 0 {
				t.Errorf("counters %+v", c)
			}
		})
	}
}

func TestFakeKeeps(t *testing.T) {
	faastest.Keep(t, func(*testing.T) faas.Runtime { return new(faastest.Fake) }, faastest.Images{Echo: "echo", Say: "say"})
}
