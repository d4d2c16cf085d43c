package node

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// By how much the heap may grow beyond what is in use before it is collected, in
// percent. Each collection marks all that is in use: under load, when one follows
// the other, that takes an eighth of a node's processor time at 100 %.
const (
	growthAtRest = 100
	growthBusy   = 400
)

// Collections that follow each other faster than busyWithin are those of a busy
// process. Four times as much garbage takes four times as long, so that restAfter
// means less garbage a second than busyWithin did.
const (
	busyWithin = 500 * time.Millisecond
	restAfter  = 8 * busyWithin
)

// PaceCollection has this process's heap collected a quarter as often while it
// makes much garbage, at the price of memory that is given back when it rests.
// On a small machine, where GOGC is set or nothing limits memory (see
// [LimitMemory]), nothing is changed.
//
// It concerns the whole process, for good, so a program that embeds a node
// decides itself.
func PaceCollection() {
	unbounded := debug.SetMemoryLimit(-1) == math.MaxInt64
	if unbounded || os.Getenv("GOGC") != "" || presetFor(PresetAuto, ownRoom()).small {
		return
	}
	p := &pacer{last: time.Now(), set: func(percent int) { debug.SetGCPercent(percent) }}
	p.await()
}

// pacer sets how much the heap may grow by how fast collections follow each other.
type pacer struct {
	set  func(percent int)
	last time.Time // of the collections
	busy bool
}

// mark is garbage that a collection finds.
type mark struct{ _ *byte }

// await has the next collection tell.
func (p *pacer) await() { runtime.AddCleanup(new(mark), (*pacer).wake, p) }

func (p *pacer) wake() {
	p.collected(time.Now())
	p.await()
}

func (p *pacer) collected(now time.Time) {
	since := now.Sub(p.last)
	p.last = now
	switch {
	case !p.busy && since < busyWithin:
		p.busy = true
		p.set(growthBusy)
	case p.busy && since > restAfter:
		p.busy = false
		p.set(growthAtRest)
	}
}
