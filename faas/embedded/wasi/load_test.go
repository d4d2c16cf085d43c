package wasi_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
)

// TestUnload: memory is given back when nobody uses the module, and the next
// invocation gets it again.
func TestUnload(t *testing.T) {
	b := newBed(t, wasitest.Echo(), wasi.Config{})
	if b.runner.State().Loaded {
		t.Error("loaded before it is used")
	}
	resp, err := b.runner.Invoke(t.Context(), &faas.Request{Body: failingLater(t), Size: -1, Header: faas.Header{{Name: "Accept", Value: "text/event-stream"}}})
	if err != nil {
		t.Fatal(err)
	}
	b.runner.Unload()
	if s := b.runner.State(); !s.Loaded || s.LoadTime <= 0 {
		t.Errorf("unloaded while it is used: %+v", s)
	}
	_ = resp.Body.Close()
	for b.runner.State().Loaded {
		time.Sleep(time.Millisecond)
	}
	if _, got, err := b.post("again"); got != "again" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if !b.runner.State().Loaded {
		t.Error("not loaded after it was used")
	}
}

// failingLater is a body of one byte that does not end before the test.
func failingLater(t *testing.T) io.Reader {
	body, feed := io.Pipe()
	t.Cleanup(func() { _ = feed.Close() })
	go func() { _, _ = feed.Write([]byte("x")) }()
	return body
}

// TestAccount: computing is charged while it goes on, waiting is not.
func TestAccount(t *testing.T) {
	account := child.NewAccount()
	if account == nil {
		t.Log("this system does not tell what processes take; functions are not charged either")
		return
	}
	b := newBed(t, wasitest.Spin(), wasi.Config{Account: account})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = b.runner.Invoke(ctx, &faas.Request{})
	}()
	for deadline := time.Now().Add(time.Minute); account.CPUTime().Used < 50*time.Millisecond; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a module that computes is not charged")
		}
	}
	cancel()
	<-ended
	was := account.CPUTime()
	time.Sleep(20 * time.Millisecond)
	if now := account.CPUTime(); now != was {
		t.Errorf("charged %v after its end", now.Used-was.Used)
	}
	waiting := newBed(t, wasitest.Echo(), wasi.Config{Account: account})
	if err := waiting.runner.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, _ = waiting.runner.Invoke(ctx, &faas.Request{Body: failingLater(t), Size: -1})
	if took := time.Since(begun); account.CPUTime().Used-was.Used > took/2 {
		t.Errorf("charged %v of %v that it waited", account.CPUTime().Used-was.Used, took)
	}
}
