package wasi_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// TestCancel ends modules that compute, that wait for their input, and that wait
// for their output to be read.
func TestCancel(t *testing.T) {
	const soon = 400 * time.Millisecond // it has begun by then
	sse := faas.Header{{Name: "Accept", Value: "text/event-stream"}}
	tests := []struct {
		name    string
		module  []byte
		request func(*testing.T) *faas.Request
		answers bool
	}{
		{"computing", wasitest.Spin(), func(*testing.T) *faas.Request { return &faas.Request{} }, false},
		{"reading", wasitest.Echo(), func(t *testing.T) *faas.Request { return &faas.Request{Body: failingLater(t), Size: -1} }, false},
		{"writing", wasitest.Flood("x", -1, 0), func(*testing.T) *faas.Request { return &faas.Request{Header: sse} }, true},
	}
	for _, tt := range tests {
		for _, how := range []string{"cancel", "deadline", "close"} {
			t.Run(tt.name+" "+how, func(t *testing.T) {
				t.Parallel()
				b := newBed(t, tt.module, wasi.Config{})
				if err := b.runner.Load(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				want := context.Canceled
				switch how {
				case "deadline":
					want = context.DeadlineExceeded
					ctx, cancel = context.WithTimeout(ctx, soon)
					defer cancel()
				case "close":
					want = watchdog.ErrRemoved
					time.AfterFunc(soon, b.runner.Close)
				default:
					time.AfterFunc(soon, cancel)
				}
				resp, err := b.runner.Invoke(ctx, tt.request(t))
				if tt.answers {
					if err != nil {
						t.Fatal(err)
					}
					defer func() { _ = resp.Body.Close() }()
					if _, err = io.Copy(io.Discard, resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Errorf("the answer ended with %v", err)
					}
				}
				if !errors.Is(err, want) || errors.Is(err, faas.ErrNotStarted) {
					t.Errorf("error %v, want %v", err, want)
				}
			})
		}
	}
}

// TestClosedEarly: who reads an answer no further ends the module.
func TestClosedEarly(t *testing.T) {
	released := make(chan struct{}, 1)
	b := newBed(t, wasitest.Flood("x", -1, 0), wasi.Config{Released: func() { released <- struct{}{} }})
	resp, err := b.runner.Invoke(t.Context(), &faas.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 100)); err != nil {
		t.Error(err)
	}
	if err := errors.Join(resp.Body.Close(), resp.Body.Close()); err != nil {
		t.Error(err)
	}
	<-released
	if len(released) > 0 {
		t.Error("released twice")
	}
}
