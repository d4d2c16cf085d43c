package node

import (
	"sync"
	"time"
)

// alarms are timers to be used again. One that is stopped is left to run: most are
// of invocations that end long before, and the next one that takes it over wants
// it at about the same time or later. So the many invocations between two of its
// rings cost the runtime's timers nothing.
type alarms struct {
	clock  func() time.Duration
	unused sync.Pool
}

// alarm interrupts somebody at a time, unless it is stopped before.
type alarm struct {
	clock func() time.Duration

	mu    sync.Mutex // guards what follows
	timer *time.Timer
	rings time.Duration // when the timer does, 0 if it does not run
	whom  watcher       // nil for nobody
	at    time.Duration
}

// set has whom interrupted at a time on the clock.
func (a *alarms) set(at time.Duration, whom watcher) *alarm {
	one, ok := a.unused.Get().(*alarm)
	if !ok {
		one = &alarm{clock: a.clock}
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	one.whom, one.at = whom, at
	if one.rings == 0 || at < one.rings {
		one.wind(at - one.clock())
	}
	return one
}

// wind has the timer ring for at, with mu held.
func (a *alarm) wind(in time.Duration) {
	a.rings = a.at
	if a.timer == nil {
		a.timer = time.AfterFunc(in, a.ring)
		return
	}
	a.timer.Reset(in)
}

func (a *alarm) ring() {
	if whom := a.due(); whom != nil {
		whom.Interrupt()
	}
}

// due is whose time has come.
func (a *alarm) due() watcher {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rings = 0
	whom := a.whom
	if whom == nil {
		return nil
	}
	if left := a.at - a.clock(); left > 0 {
		a.wind(left)
		return nil
	}
	a.whom = nil
	return whom
}

// stop is for the one who has set the alarm.
func (a *alarm) stop(to *alarms) {
	if a == nil {
		return
	}
	a.mu.Lock()
	a.whom = nil
	a.mu.Unlock()
	to.unused.Put(a)
}
