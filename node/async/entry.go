package async

import (
	"container/heap"
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/async"
)

// recordSize is about what a record takes on disk, in bytes, its texts apart,
// with its share of the tree.
const recordSize = 1 << 10

// entry is what is in memory of each call; the rest is read when it is needed.
// Fields are guarded by Engine.mu, but for those that never change: seq, id,
// holder and function.
type entry struct {
	seq      uint64
	id       string
	function string
	holder   peer.ID // another node's for a copy
	copied   bool    // it is a copy
	keeper   peer.ID // who keeps a copy of ours
	unsure   bool    // the keeper may have taken it over while this node was gone

	state    async.State
	callback string  // the host to post to, while that is due
	record   int64   // bytes
	body     int64   // bytes
	result   int64   // bytes
	hasFiles [2]bool // the request's and the answer's body is in a file

	arriving chan struct{} // closed once it is stored, or has failed; nil for what was recovered
	failed   error         // why it was not stored, once arriving is closed
	asking   bool          // it is not settled yet whether another node has its ID
	gaveWay  []peer.ID     // nodes that were told meanwhile that this one has not

	gen      uint64 // counts its moves between lines: what names an older one is void
	under    bool   // an attempt or a callback is under way
	settling bool   // its outcome is being written
	unwanted bool   // it was cancelled meanwhile
	problem  string // why nobody takes it now
	cancel   context.CancelCauseFunc
}

// callbackTo begins the names of lines of callbacks.
const callbackTo = "callback "

// task is the line that an entry waits in.
func (n *entry) task() string {
	if n.state.Ended() {
		return callbackTo + n.callback
	}
	return "function " + n.function
}

// over tells whether nothing more will happen to it by itself.
func (n *entry) over() bool { return n.state.Ended() && n.callback == "" }

// size is what it takes on disk.
func (n *entry) size() int64 { return n.record + n.body + n.result }

// become changes the state, and keeps count. It is called with mu held.
func (e *Engine) become(n *entry, s async.State) {
	e.byState[n.state]--
	n.state = s
	e.byState[s]++
}

// enter puts an entry among those that are known. It is called with mu held.
func (e *Engine) enter(n *entry) {
	e.calls[n.id] = n
	if n.copied {
		e.copies++
	} else {
		e.byState[n.state]++
	}
}

// leave removes it from them, and tells whether it was there. It is called with
// mu held.
func (e *Engine) leave(n *entry) bool {
	n.gen++
	if e.calls[n.id] != n {
		return false
	}
	delete(e.calls, n.id)
	if n.copied {
		e.copies--
	} else {
		e.byState[n.state]--
	}
	return true
}

// schedule has it started, or posted, at that time. It is called with mu held.
func (e *Engine) schedule(n *entry, due time.Time) {
	n.gen++
	heap.Push(&e.later, waiting{n, due, n.gen})
	e.poke()
}

// retire notes that it is over. It is called with mu held.
func (e *Engine) retire(n *entry, at time.Time) {
	n.gen++
	e.ended = append(e.ended, waiting{n, at, n.gen})
}

// load is how many calls count against Config.Calls. It is called with mu held.
func (e *Engine) load() int {
	return e.byState[async.Queued] + e.byState[async.Running] + e.byState[async.Dead] + e.copies
}
