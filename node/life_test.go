package node

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func born(ctx context.Context, deadline time.Duration) *life {
	inv := &invocation{deadline: deadline}
	inv.live(ctx, 0, new(alarms))
	return &inv.life
}

func ended(l *life) bool {
	select {
	case <-l.Done():
		return true
	default:
		return false
	}
}

func TestLifeEndsAtItsLimit(t *testing.T) {
	for name, deadline := range map[string]time.Duration{"deadline": time.Second, "no header": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := born(t.Context(), deadline)
				defer l.over()
				told := 0
				l.AfterFunc(func() { told++ })
				if stop := l.AfterFunc(func() { told += 10 }); !stop() || stop() {
					t.Error("a hook is not stopped once")
				}
				if l.Err() != nil || ended(l) {
					t.Fatal("it is over before it began")
				}
				time.Sleep(max(deadline, headerLimit) + time.Millisecond)
				synctest.Wait()
				var e *invoke.Error
				if cause := context.Cause(l); !errors.As(cause, &e) || e.Code != invoke.CodeDeadline || !errors.Is(l.Err(), context.DeadlineExceeded) {
					t.Errorf("cause %v, error %v", cause, l.Err())
				}
				if !ended(l) || told != 1 {
					t.Errorf("ended %v, hooks told %d, want 1", ended(l), told)
				}
			})
		})
	}
}

func TestLifeEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		l := born(ctx, time.Second)
		defer l.over()
		inner, release := context.WithCancel(l)
		defer release()
		cancel(gone)
		if context.Cause(l) != gone {
			t.Errorf("at once, cause %v", context.Cause(l))
		}
		synctest.Wait()
		if !ended(l) || inner.Err() == nil || l.AfterFunc(func() {})() {
			t.Error("the caller's end does not reach all")
		}
	})
}

func TestLifeOutlivesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := born(t.Context(), 0)
		l.disarm() // the header has come
		time.Sleep(2 * headerLimit)
		if l.Err() != nil {
			t.Error(l.Err())
		}
		l.over()
		l.over()
		if !errors.Is(l.Err(), context.Canceled) || !ended(l) {
			t.Errorf("%v", l.Err())
		}
		new(life).over()
	})
}

// An alarm that was stopped is set again for somebody else.
func TestAlarmsAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all alarms
		first, second := new(rung), new(rung)
		all.set(time.Second, first).stop(&all)
		all.set(time.Second, second)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if *first || !*second {
			t.Errorf("first %v, second %v", *first, *second)
		}
	})
}

type rung bool

func (r *rung) Interrupt() { *r = true }
