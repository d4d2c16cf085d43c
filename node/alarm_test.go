package node

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// An alarm that was stopped is set again for somebody else, and goes off in time
// whenever its timer would have rung for the one before.
func TestAlarmsAreUsedAgain(t *testing.T) {
	for name, first := range map[string]time.Duration{"rings before": time.Second, "rings at once": 2 * time.Second, "rings after": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all := alarms{clock: sinceStart()}
				nobody, somebody := new(tally), new(tally)
				all.set(first, nobody).stop(&all)
				alarm := all.set(2*time.Second, somebody)
				defer alarm.stop(&all)
				rung := func(after time.Duration, want int32) {
					t.Helper()
					time.Sleep(after - all.clock())
					synctest.Wait()
					if somebody.Load() != want || nobody.Load() != 0 {
						t.Errorf("after %v: rung %d times, want %d; for who has stopped it %d", after, somebody.Load(), want, nobody.Load())
					}
				}
				rung(2*time.Second-1, 0)
				rung(2*time.Second, 1)
			})
		})
	}
}

// Who is interrupted once is not again, and an alarm that has gone off can be set anew.
func TestAlarmGoesOffOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := alarms{clock: sinceStart()}
		var times tally
		for n := range int32(3) {
			alarm := all.set(all.clock()+time.Second, &times)
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := times.Load(); got != n+1 {
				t.Errorf("interrupted %d times, want %d", got, n+1)
			}
			alarm.stop(&all)
		}
		all.set(all.clock()-time.Second, &times) // too late already
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := times.Load(); got != 4 {
			t.Errorf("interrupted %d times, want 4", got)
		}
	})
}

type tally struct{ atomic.Int32 }

func (n *tally) Interrupt() { n.Add(1) }
