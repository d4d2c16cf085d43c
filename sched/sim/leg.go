package sim

import (
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// leg is one node's part in one invocation: from when it came there until its
// answer has left. The legs of an invocation form a chain back to where it entered.
type leg struct {
	birth uint32 // differs from one use of this memory to the next
	ref          // of the previous leg, none at the origin
	node  int32
	state state

	class    int32
	origin   int32
	body     int64
	demand   float64       // nanoseconds on a node of speed 1
	began    time.Duration // entered the mesh
	due      time.Duration // the client's deadline, 0 for none
	counted  bool
	received time.Duration
	deadline time.Duration // until when the answer must leave this node, 0 for none

	attempts  int
	awayOnly  bool
	undecided bool // it was asked for, and started without a decision
	asked     sched.Request
	last      sched.Decision
	awaited   int // probes not answered yet

	to       int32 // where it was forwarded, -1 for nowhere
	sent     sched.Sent
	promise  sched.Promise
	forwards int // of the whole invocation so far, at the node that ran it

	executor int32 // where it ran, -1 for nowhere
	handle   sched.Handle
	token    int // of Busy
	started  time.Duration
	waited   time.Duration
	service  time.Duration
}

// ref names a leg, as long as it lives.
type ref struct {
	prev      int32
	prevBirth uint32
}

const none = int32(-1)

type state uint8

const (
	deciding state = iota
	probing
	pausing
	waiting // in the queue
	running
	forwarded
)

// legs is the memory of all legs.
type legs struct {
	list   []leg
	unused []int32
	births uint32
}

func (l *legs) at(i int32) *leg { return &l.list[i] }

// live is the leg if it is still the one that was meant, else nil.
func (l *legs) live(i int32, birth uint32) *leg {
	if g := &l.list[i]; g.birth == birth {
		return g
	}
	return nil
}

// claim returns a fresh leg. It may move all others: hold no pointer across it.
func (l *legs) claim() int32 {
	var i int32
	if n := len(l.unused); n > 0 {
		i = l.unused[n-1]
		l.unused = l.unused[:n-1]
	} else {
		i = int32(len(l.list))
		l.list = append(l.list, leg{})
	}
	g := &l.list[i]
	l.births++
	*g = leg{birth: l.births, to: none, executor: none, ref: ref{prev: none},
		asked: sched.Request{Visited: g.asked.Visited[:0], Probed: g.asked.Probed[:0]}}
	return i
}

func (l *legs) release(i int32) {
	l.list[i].birth = 0
	l.unused = append(l.unused, i)
}
