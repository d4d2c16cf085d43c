package node

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

func testSlots(servers int, queue sched.QueueConfig) *slots {
	return newSlots(slotsConfig{servers: servers, maxOpen: 1024, queue: queue}, sinceStart())
}

func whole(service time.Duration) need {
	return need{weight: 1, service: sched.Service{Mean: service, Spread: 1}}
}

func codeOfError(t *testing.T, err error) invoke.Code {
	t.Helper()
	var e *invoke.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v is no *invoke.Error", err)
	}
	return e.Code
}

func TestSlotsBoundWeightedWork(t *testing.T) {
	for _, c := range []struct {
		name    string
		servers int
		weight  float64
		fit     int
	}{
		{"whole servers", 2, 1, 2},
		{"halves", 2, 0.5, 4},
		{"tenths fill in spite of rounding", 1, 0.1, 10},
		{"heavier than the node: one, when it is empty", 2, 5, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testSlots(c.servers, sched.QueueConfig{Exact: true})
			for i := range c.fit {
				if _, err := s.acquire(t.Context(), need{weight: c.weight}); err != nil {
					t.Fatalf("slot %d of %d: %v", i+1, c.fit, err)
				}
			}
			_, err := s.acquire(t.Context(), need{weight: c.weight})
			if got := codeOfError(t, err); got != invoke.CodeRefused {
				t.Errorf("one more: %v, want refused", got)
			}
		})
	}
}

func TestSlotsServeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSlots(1, sched.QueueConfig{})
		first, _ := s.acquire(t.Context(), whole(time.Second))
		var order []int
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				g, err := s.acquire(t.Context(), whole(time.Second))
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, i)
				if want := time.Duration(i+1) * time.Second; g.waited != want {
					t.Errorf("number %d waited %v, want %v", i, g.waited, want)
				}
				time.Sleep(time.Second)
				g.release()
			})
			synctest.Wait()
		}
		if got, want := s.load().Wait, 4*time.Second; got != want {
			t.Errorf("wait for a newcomer = %v, want %v: one completion and three in line", got, want)
		}
		time.Sleep(time.Second)
		first.release()
		first.release() // a second release does nothing
		all.Wait()
		if len(order) != 3 || order[0] != 0 || order[1] != 1 || order[2] != 2 {
			t.Errorf("served in order %v", order)
		}
		if l := s.load(); l.Running != 0 || l.Queued != 0 || l.Wait != 0 {
			t.Errorf("idle node reports %+v", l)
		}
	})
}

func TestSlotsExpireWhatCannotBeOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSlots(1, sched.QueueConfig{})
		busy, _ := s.acquire(t.Context(), whole(10*time.Millisecond))
		n := whole(10 * time.Millisecond)
		n.deadline = s.clock() + 50*time.Millisecond
		began := s.clock()
		_, err := s.acquire(t.Context(), n)
		if got := codeOfError(t, err); got != invoke.CodeExpired {
			t.Errorf("error %v, want expired", err)
		}
		if waited := s.clock() - began; waited != 50*time.Millisecond {
			t.Errorf("told after %v, want 50ms", waited)
		}
		busy.release()
		if l := s.load(); l.Queued != 0 || l.Running != 0 {
			t.Errorf("left behind: %+v", l)
		}
	})
}

func TestSlotsRefuseWhatWouldWaitTooLong(t *testing.T) {
	s := testSlots(1, sched.QueueConfig{})
	if _, err := s.acquire(t.Context(), whole(20*time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := s.acquire(t.Context(), whole(20*time.Second))
	if got := codeOfError(t, err); got != invoke.CodeRefused {
		t.Fatalf("error %v, want refused", err)
	}
	var e *invoke.Error
	if errors.As(err, &e); e.RetryAfter < 10*time.Second {
		t.Errorf("retry after %v, want the expected wait", e.RetryAfter)
	}
}

func TestSlotsWaiterGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSlots(1, sched.QueueConfig{})
		busy, _ := s.acquire(t.Context(), whole(time.Second))
		gone := errors.New("caller gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(gone) })
		if _, err := s.acquire(ctx, whole(time.Second)); !errors.Is(err, gone) {
			t.Errorf("error %v, want the cause %v", err, gone)
		}
		busy.release()
		if _, err := s.acquire(t.Context(), whole(time.Second)); err != nil {
			t.Errorf("the server must be free again: %v", err)
		}
	})
}

func TestSlotsDetachFreesTheServerOnly(t *testing.T) {
	s := newSlots(slotsConfig{servers: 1, maxOpen: 2, queue: sched.QueueConfig{Exact: true}}, sinceStart())
	stream, _ := s.acquire(t.Context(), whole(time.Second))
	stream.detach()
	second, err := s.acquire(t.Context(), whole(time.Second))
	if err != nil {
		t.Fatalf("the stream has given its server back: %v", err)
	}
	second.detach()
	if _, err := s.acquire(t.Context(), whole(time.Second)); codeOfError(t, err) != invoke.CodeRefused {
		t.Errorf("two streams are open, the most allowed; got %v", err)
	}
	stream.release()
	if _, err := s.acquire(t.Context(), whole(time.Second)); err != nil {
		t.Errorf("a stream has ended: %v", err)
	}
}

func TestSlotsStartWhatWaitedBehindTheGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSlots(2, sched.QueueConfig{})
		running, _ := s.acquire(t.Context(), whole(time.Second))
		defer running.release()
		heavy, light := whole(time.Second), whole(time.Second)
		heavy.weight, heavy.of = 2, &invocation{}
		ends := make(chan error, 2)
		for _, n := range []need{heavy, light} {
			go func() {
				g, err := s.acquire(t.Context(), n)
				if err == nil {
					defer g.release()
				}
				ends <- err
			}()
			synctest.Wait()
		}
		if !s.give("b", func(*invocation) (sched.Offer, bool) { return sched.Offer{}, true }) {
			t.Fatal("nothing was given")
		}
		synctest.Wait()
		if n := s.load().Queued; len(ends) != 2 || n != 0 {
			t.Errorf("%d wait although a server is free", n)
		}
	})
}

func TestSlotsDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := testSlots(1, sched.QueueConfig{})
		running, _ := s.acquire(t.Context(), whole(time.Second))
		waiting := make(chan error, 1)
		go func() {
			_, err := s.acquire(t.Context(), whole(time.Second))
			waiting <- err
		}()
		synctest.Wait()
		s.drain()
		if err := <-waiting; err != errReturned {
			t.Errorf("what waited got %v, want to be given back", err)
		}
		if _, err := s.acquire(t.Context(), whole(time.Second)); codeOfError(t, err) != invoke.CodeDraining {
			t.Errorf("newcomer got %v, want draining", err)
		}
		back := whole(time.Second)
		back.returned = true
		time.AfterFunc(time.Second, running.release)
		if g, err := s.acquire(t.Context(), back); err != nil || g.waited != time.Second {
			t.Errorf("what was given back and found no other place: %v", err)
		}
	})
}

// Light calls are no reason to believe that no server is free.
func TestLoadCountsServers(t *testing.T) {
	s := newSlots(slotsConfig{servers: 2, maxOpen: 100, queue: sched.QueueConfig{}}, func() time.Duration { return 0 })
	for _, c := range []struct{ calls, running int }{{10, 1}, {10, 1}, {10, 2}, {10, 2}} {
		for range c.calls {
			if _, err := s.acquire(t.Context(), need{weight: 0.05}); err != nil {
				t.Fatal(err)
			}
		}
		if l := s.load(); l.Running != c.running {
			t.Errorf("%d light calls: %d servers are busy, want %d", s.holding(), l.Running, c.running)
		}
	}
}
