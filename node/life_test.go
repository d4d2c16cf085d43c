package node

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func born(ctx context.Context, deadline time.Duration) *life {
	inv := &invocation{deadline: deadline}
	inv.live(ctx, &alarms{clock: sinceStart()})
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
				watchers := make([]rung, 3)
				for i := range watchers {
					l.Watch(&watchers[i])
				}
				if !l.Unwatch(&watchers[1]) || l.Unwatch(&watchers[1]) {
					t.Error("a watch is not taken back once")
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
				if !ended(l) || told != 1 || !slices.Equal(watchers, []rung{true, false, true}) {
					t.Errorf("ended %v, hooks told %d, want 1, watchers %v", ended(l), told, watchers)
				}
				late := new(rung)
				l.Watch(late)
				synctest.Wait()
				if !bool(*late) || l.Unwatch(late) || l.Unwatch(&watchers[0]) {
					t.Error("who watches too late is not told, or not once")
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

// One life watches another without being wrapped by package context.
func TestLifeEndsWithTheLifeAroundIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outer := born(t.Context(), time.Minute)
		first, second := born(outer, time.Hour), born(outer, 0)
		defer second.over()
		first.over()
		if d, ok := second.Deadline(); !ok || time.Until(d) != time.Minute {
			t.Errorf("deadline %v", d)
		}
		if len(outer.watchers) != 1 {
			t.Errorf("%d watch, want one", len(outer.watchers))
		}
		outer.over()
		synctest.Wait()
		if !ended(second) || !errors.Is(second.Err(), context.Canceled) {
			t.Errorf("ended %v, error %v", ended(second), second.Err())
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

type rung bool

func (r *rung) Interrupt() { *r = true }
