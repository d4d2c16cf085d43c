package invoke_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestTakeBackWhileQueued(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		told := make(chan error, 1)
		var queue atomic.Bool
		queue.Store(true)
		p := newPair(t, pairOptions{transport: transport}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
			if !queue.Load() {
				return echo(ctx, c)
			}
			<-ctx.Done()
			if c.Start() || c.Hold() {
				t.Error("started although it was taken back")
			}
			told <- context.Cause(ctx)
			return text(200, "dropped"), nil
		})
		x, err := p.client.Open(within(t), p.peer(), post("x"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = x.Wait(func(pr invoke.Progress) {
			if pr.Started {
				t.Error("progress says started")
			}
			x.TakeBack()
		})
		if e := wantCode(t, err, invoke.CodeTakenBack); !e.Remote || !invoke.NotStarted(err) {
			t.Errorf("error %+v", e)
		}
		wantCode(t, <-told, invoke.CodeTakenBack)
		before := streamIDs(p)
		queue.Store(false)
		if got := readAll(t, mustInvoke(t, p, post("next"))); got != "next" {
			t.Fatalf("answer %q", got)
		}
		if after := streamIDs(p); len(after) != 1 || after[0] != before[0] {
			t.Errorf("streams %v became %v, want the same one", before, after)
		}
	})
}

// TestTakeBackTooLate: once started or held, the answer comes.
func TestTakeBackTooLate(t *testing.T) {
	for name, begin := range map[string]func(c *invoke.Call) bool{
		"started": (*invoke.Call).Start, "held": (*invoke.Call).Hold,
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{})
			p := newPair(t, pairOptions{}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
				if !begin(c) {
					return nil, errors.New("not taken back yet")
				}
				<-asked
				time.Sleep(20 * time.Millisecond) // the frame is on its way
				return text(200, "done"), nil
			})
			x, err := p.client.Open(within(t), p.peer(), post("x"))
			if err != nil {
				t.Fatal(err)
			}
			var once sync.Once
			a, err := x.Wait(func(pr invoke.Progress) {
				if pr.Started != (name == "started") {
					t.Errorf("progress %+v", pr)
				}
				once.Do(func() {
					if !x.TakeBack() {
						t.Error("not asked")
					}
					close(asked)
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := readAll(t, a); got != "done" {
				t.Errorf("answer %q", got)
			}
			if x.TakeBack() {
				t.Error("asked after the answer")
			}
		})
	}
}

// TestTakeBackRace takes back at every moment: each invocation either ran and
// was answered, or did not run and was taken back, and no frame of one ends up
// in the next on the same stream.
func TestTakeBackRace(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		var ran, answered, taken atomic.Int64
		p := newPair(t, pairOptions{transport: transport, client: invoke.Config{Streams: 4}},
			func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
				time.Sleep(time.Duration(c.TaskType) * time.Microsecond)
				if !c.Start() {
					return nil, errors.New("taken back")
				}
				ran.Add(1)
				return text(200, c.CallID), nil
			})
		const workers, each = 8, 100
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := range each {
					raceOne(t, p, float64((w*each+i*37)%400), &answered, &taken)
				}
			})
		}
		wg.Wait()
		t.Logf("%d answered, %d taken back", answered.Load(), taken.Load())
		if ran.Load() != answered.Load() || answered.Load()+taken.Load() != workers*each {
			t.Errorf("%d ran, %d answered, %d taken back", ran.Load(), answered.Load(), taken.Load())
		}
	})
}

func raceOne(t *testing.T, p *pair, after float64, answered, taken *atomic.Int64) {
	r := post("x")
	r.TaskType = after
	x, err := p.client.Open(within(t), p.peer(), r)
	if err != nil {
		t.Error(err)
		return
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		time.Sleep(200 * time.Microsecond)
		x.TakeBack()
	}()
	a, err := x.Wait(nil)
	<-asked
	var e *invoke.Error
	switch {
	case err == nil:
		if b, err := io.ReadAll(a.Body); err != nil || string(b) != r.CallID {
			t.Errorf("answer %q, error %v", b, err)
		}
		_ = a.Body.Close()
		answered.Add(1)
	case errors.As(err, &e) && e.Code == invoke.CodeTakenBack:
		taken.Add(1)
	default:
		t.Error(err)
	}
}

func TestProgress(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		go1, go2 := make(chan struct{}), make(chan struct{})
		p := newPair(t, pairOptions{transport: transport, server: invoke.Config{ProgressEvery: 10 * time.Millisecond}},
			func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
				<-go1
				c.Start()
				<-go2
				return text(200, ""), nil
			})
		x, err := p.client.Open(within(t), p.peer(), post("x"))
		if err != nil {
			t.Fatal(err)
		}
		var states []bool
		a, err := x.Wait(func(pr invoke.Progress) {
			states = append(states, pr.Started)
			switch len(states) {
			case 2:
				close(go1)
			case 6:
				close(go2)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if states[0] || states[1] || !states[len(states)-1] {
			t.Errorf("progress %v", states)
		}
	})
}

// TestLargeBodyWaitsForTheStart: no more than FirstWindow is sent before.
func TestLargeBodyWaitsForTheStart(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		for _, size := range []int64{1 << 20, -1} {
			start := make(chan struct{})
			quick := invoke.Config{ProgressEvery: 10 * time.Millisecond}
			p := newPair(t, pairOptions{transport: transport, server: quick}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
				<-start
				return echo(ctx, c)
			})
			var sent atomic.Int64
			r := post("")
			r.Size, r.Body = size, &counting{r: io.LimitReader(&counter{}, 1<<20), n: &sent}
			x, err := p.client.Open(within(t), p.peer(), r)
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			a, err := x.Wait(func(pr invoke.Progress) {
				if !pr.Started && time.Since(begun) > 50*time.Millisecond && sent.Load() == invoke.FirstWindow {
					close(start)
					begun = time.Now().Add(time.Hour)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, a.Body); n != 1<<20 || err != nil {
				t.Fatalf("%d bytes, %v", n, err)
			}
			_ = a.Body.Close()
		}
	})
}

type counting struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// TestReadingBeyondTheWindowIsAStart: a handler that forgets Start does not
// wait for ever.
func TestReadingBeyondTheWindowIsAStart(t *testing.T) {
	p := newPair(t, pairOptions{}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
		n, err := io.Copy(io.Discard, c.Body)
		if err != nil || n != 1<<20 {
			t.Errorf("%d bytes, %v", n, err)
		}
		return text(200, ""), nil
	})
	r := post("")
	r.Size, r.Body = 1<<20, io.LimitReader(&counter{}, 1<<20)
	_ = mustInvoke(t, p, r).Body.Close()
}

// TestRewindableBodyDoesNotWait: it is sent on while the invocation waits, and a
// refusal is understood all the same.
func TestRewindableBodyDoesNotWait(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		var sent atomic.Int64
		enough := func() bool { return sent.Load() > invoke.FirstWindow }
		p := newPair(t, pairOptions{transport: transport}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
			for !enough() && ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
			if c.Function == "refuses" {
				return nil, &invoke.Error{Code: invoke.CodeRefused, Text: "4 of 4 servers busy"}
			}
			return echo(ctx, c)
		})
		request := func(function string) *invoke.Request {
			sent.Store(0)
			r := post("")
			r.Function, r.Size, r.Rewindable = function, 1<<20, true
			r.Body = &counting{r: io.LimitReader(&counter{}, 1<<20), n: &sent}
			return r
		}
		if got := readAll(t, mustInvoke(t, p, request("echo"))); len(got) != 1<<20 || !enough() {
			t.Errorf("an answer of %d bytes", len(got))
		}
		_, err := p.client.Invoke(within(t), p.peer(), request("refuses"))
		if e := wantCode(t, err, invoke.CodeRefused); !invoke.NotStarted(e) {
			t.Errorf("error %+v", e)
		}
	})
}
