package invoke_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// held answers when it is let go.
func heldUntil(let <-chan struct{}) handlerFunc {
	return func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
		c.Start()
		<-let
		return text(200, ""), nil
	}
}

func TestPoolIsBounded(t *testing.T) {
	let := make(chan struct{})
	p := newPair(t, pairOptions{client: invoke.Config{Streams: 3, StreamBusy: time.Hour}}, heldUntil(let))
	var wg sync.WaitGroup
	for range 3 {
		x, err := p.client.Open(within(t), p.peer(), post("x"))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { _, _ = x.Wait(nil) })
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err := p.client.Open(ctx, p.peer(), post("x"))
	e := wantCode(t, err, invoke.CodeRefused)
	if e.Remote || !strings.Contains(e.Text, "all 3 streams") || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	order := make(chan int, 4)
	for i := range 4 { // first come, first served
		wg.Go(func() {
			x, err := p.client.Open(within(t), p.peer(), post("x"))
			if err != nil {
				t.Error(err)
				return
			}
			order <- i
			_, _ = x.Wait(nil)
		})
		time.Sleep(20 * time.Millisecond)
	}
	if n := streams(p.a); n != 3 {
		t.Errorf("%d streams", n)
	}
	for want := range 4 {
		let <- struct{}{}
		if got := <-order; got != want {
			t.Errorf("number %d was served as number %d", got, want)
		}
	}
	for range 3 {
		let <- struct{}{}
	}
	wg.Wait()
}

func TestLongBusyStreamsLeaveTheCount(t *testing.T) {
	let := make(chan struct{})
	p := newPair(t, pairOptions{client: invoke.Config{Streams: 1, StreamsMax: 3, StreamBusy: 30 * time.Millisecond}}, heldUntil(let))
	var wg sync.WaitGroup
	for range 3 {
		x, err := p.client.Open(within(t), p.peer(), post("x"))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { _, _ = x.Wait(nil) })
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := p.client.Open(ctx, p.peer(), post("x"))
	wantCode(t, err, invoke.CodeRefused)
	if n := streams(p.a); n != 3 {
		t.Errorf("%d streams, want StreamsMax", n)
	}
	close(let)
	wg.Wait()
	eventually(t, "no more streams are kept than Streams", func() bool { return streams(p.a) == 1 })
}

func TestStreamsAreUsedLastInFirstOut(t *testing.T) {
	let := make(chan struct{})
	p := newPair(t, pairOptions{}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
		if c.Function == "wait" {
			<-let
		}
		return text(200, ""), nil
	})
	r := post("x")
	r.Function = "wait"
	x, err := p.client.Open(within(t), p.peer(), r)
	if err != nil {
		t.Fatal(err)
	}
	_ = mustInvoke(t, p, post("x")).Body.Close()
	both := streamIDs(p)
	close(let)
	if _, err := x.Wait(nil); err != nil { // the last one to come back
		t.Fatal(err)
	}
	for range 10 {
		_ = mustInvoke(t, p, post("x")).Body.Close()
	}
	if after := streamIDs(p); len(both) != 2 || len(after) != 2 {
		t.Errorf("streams %v, then %v", both, after)
	}
}

func TestIdleStreamsAreClosed(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport, client: invoke.Config{StreamIdle: 30 * time.Millisecond}}, echo)
		_ = mustInvoke(t, p, post("")).Body.Close()
		eventually(t, "both sides have closed it", func() bool { return streams(p.a)+streams(p.b) == 0 })
		if got := readAll(t, mustInvoke(t, p, post("again"))); got != "again" {
			t.Errorf("answer %q", got)
		}
	})
}

// TestDeadKeptStreams: the connection has gone and come back meanwhile.
func TestDeadKeptStreams(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, echo)
		for range 5 {
			if got := readAll(t, mustInvoke(t, p, post("x"))); got != "x" {
				t.Fatalf("answer %q", got)
			}
			_ = p.b.Network().ClosePeer(p.a.ID())
			eventually(t, "the client's host sees it", func() bool { return len(p.a.Network().ConnsToPeer(p.peer())) == 0 })
			connect(t, p.a, p.b)
		}
	})
}

func TestManyCalls(t *testing.T) {
	total, at := 19200, 96
	if testing.Short() {
		total = 2000
	}
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, echo)
		var wg sync.WaitGroup
		for range at {
			wg.Go(func() {
				for range total / at {
					body := string(pattern(1024))
					a, err := p.client.Invoke(context.Background(), p.peer(), post(body))
					if err != nil {
						t.Error(err)
						return
					}
					if got := readAll(t, a); got != body {
						t.Errorf("%d bytes of 1024", len(got))
					}
				}
			})
		}
		wg.Wait()
		if n := streams(p.a); n > 64 {
			t.Errorf("%d streams", n)
		}
	})
}

func TestClientClose(t *testing.T) {
	told := make(chan seen, 1)
	p := newPair(t, pairOptions{}, stubborn(told, false))
	x, err := p.client.Open(within(t), p.peer(), post("x"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Wait(func(invoke.Progress) { _ = p.client.Close() })
	wantCode(t, err, invoke.CodeCancelled)
	<-told
	if _, err = p.client.Open(within(t), p.peer(), post("x")); !errors.Is(err, invoke.ErrNotReached) {
		t.Errorf("after close: %v", err)
	}
	_ = p.client.Close()
}
