// Package sched decides where an invocation should run.
//
// A [Policy] is a state machine without I/O, clock, goroutine or global random
// source: time and randomness come in with the [View], what is to be done goes
// out as a [Decision]. Whoever drives it (a node, the simulator, a test) does
// what the Decision says and tells the outcome. So one code base serves all
// three, and a decision can be repeated from what went in.
//
// The driver's duties, in order:
//
//  1. Build a View of this moment, its candidates for this one function.
//  2. Call Decide, one call at a time for one Policy.
//  3. On Probe, Wait or Ask do it and call Decide again with a fresh View and
//     Request.Round one higher. A Policy must come to Run, Forward or Refuse
//     within [MaxRounds] calls.
//  4. When the invocation has ended, call Observe if the Policy is an [Observer].
//
// [New] makes the Policies of this package by name, a [Registry] holds others
// besides, package schedtest checks one's own. [Queue] is the line in which
// invocations wait on a node. None of these locks: one caller at a time.
package sched

import (
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// MaxRounds bounds the calls of Decide for one invocation on one node; after
// that the driver runs the invocation locally.
const MaxRounds = 4

// Policy decides. See [Observer], [Puller], [Orderer], [Dequeuer], [Notified],
// [Learner], [Weigher], [Asker], [Stepper], [Snapshotter], [Describer] and [Explainer] for what it may
// offer besides. It need not be safe for concurrent use: the driver makes one
// call at a time.
type Policy interface {
	// Decide MUST NOT keep, change or hand on v, r or what they point to; the
	// Decision's Probes and Question may be memory of the Policy's own, valid until
	// the next call. It MUST NOT forward to itself, to a peer in r.Visited, or to a peer
	// that is not among v.Neighbours. It SHOULD not allocate.
	Decide(v *View, r *Request) Decision
}

// Observer learns how invocations ended that this node decided on.
type Observer interface{ Observe(o Outcome) }

// Orderer wants its node's [Queue] in a certain order. The driver heeds it unless
// its operator has chosen another; a policy that is no Orderer gets [OrderFIFO].
type Orderer interface{ Order() Order }

// Dequeuer is asked before a waiting invocation starts: false drops it (504).
type Dequeuer interface {
	Keep(v *View, r *Request) (keep bool, why Reason)
}

// Notified hears each report as it arrives, of neighbours in view or not.
type Notified interface{ Report(n News) }

// News is a report that has arrived.
type News struct {
	Of      peer.ID // whose load it is
	Load    Load
	Sampled time.Duration // when it was true, on the driver's clock
	Now     time.Duration
	Via     Via
}

// Via says how a report came. Who rides on a message is there for a reason: the
// mean over those is not the mean over the mesh. What comes by the topic is.
type Via uint8

const (
	// ViaGossip: the node told everyone, as it does regularly.
	ViaGossip Via = iota
	// ViaMessage: it rode on a message of its node.
	ViaMessage
	// ViaThird: it rode on a message of somebody else.
	ViaThird
)

// Snapshotter saves and restores what a Policy has learned.
type Snapshotter interface {
	Snapshot() ([]byte, error)
	Restore([]byte) error
}

// Describer says in one line, for people, what the Policy does with which parameters.
type Describer interface{ Describe() string }

// Action is what to do next with an invocation.
type Action uint8

const (
	// Run it here: at once if a server is free, else from the queue.
	Run Action = iota
	// Forward it to Decision.Peer.
	Forward
	// Refuse it: it has not started, the caller may go elsewhere.
	Refuse
	// Probe the peers of Decision.Probes for their load.
	Probe
	// Wait for Decision.Delay.
	Wait
	// Ask an external decider; see [Asker].
	Ask
)

// ProbesFor says whether an invocation waits for its probes' answers.
type ProbesFor uint8

const (
	// ProbesForThis: decide again when they have answered.
	ProbesForThis ProbesFor = iota
	// ProbesForLater: send them and go on; Action is then Run, Forward or Refuse.
	ProbesForLater
)

// Decision is what a Policy wants done.
type Decision struct {
	Action    Action
	Peer      peer.ID       // Forward
	Delay     time.Duration // Wait
	Probes    []peer.ID     // Probe, or with ProbesForLater any action
	ProbesFor ProbesFor
	Question  *Question // Ask
	Reason    Reason
	Score     Score
	// Token is the Policy's own mark of this decision, 0 for none. The driver hands
	// it back in the Outcome, even if the invocation was taken elsewhere after.
	Token uint64
}

// Score holds the numbers that were compared: expected seconds, probabilities
// or loads, as the Reason's text says. Both are finite; 0 stands for a side that
// was no option, such as a full queue.
type Score struct{ Here, There float64 }

// View is what a node knows at one moment, made for one function. Its
// Neighbours are those to which this invocation may go, sorted by ID.
type View struct {
	// Now is the driver's monotonic clock; its zero is arbitrary.
	Now time.Duration
	// Rand is the only source of chance, never nil.
	Rand       *rand.Rand
	Self       Self
	Neighbours []Neighbour
	// OwnRate is this node's own arrivals from outside, per second.
	OwnRate float64
	// MeshUtilisation is the share of all known servers' capacity that arrivals take.
	MeshUtilisation float64
}

// Load is a node's own account of how busy it is.
type Load struct {
	// Wait is the time until a newcomer would start (W).
	Wait    time.Duration `json:"wait"`
	Running int           `json:"running"`
	Queued  int           `json:"queued"`
	Servers int           `json:"servers"`
	// Speed is the node's service times over the nominal ones; 1 is nominal,
	// 2 is half as fast.
	Speed float64 `json:"speed"`
	// Rate is arrivals from outside and Out is forwards to others, per second.
	Rate float64 `json:"rate"`
	Out  float64 `json:"out"`
}

// Total is all invocations in the node's care.
func (l Load) Total() int { return l.Running + l.Queued }

// Service tells how long one function runs on one node.
type Service struct {
	Mean time.Duration // 0 if never measured
	P10  time.Duration // a fast one: the 10th percentile
	// Spread is standard deviation over mean, 0 to 1; 1 until measured.
	Spread float64
}

// Self is the deciding node.
type Self struct {
	ID   peer.ID
	Zone string
	Load Load
	// Free tells that a server could start this invocation now.
	Free bool
	// Residual is until the first of the busy servers is expected to fall free; 0
	// with a free one. Load.Wait is that and the queued work.
	Residual time.Duration
	// Line is the queue of this node, nil if unknown.
	Line Line
	// Room tells that the queue would take it.
	Room bool
	// Deployed tells whether the function runs here at all; if not, Run is no option.
	Deployed bool
	Service  Service
	// Mix is the mean over everything that runs here, whatever the function; see
	// [Mix]. 0 if unknown: Service stands in then.
	Mix  Service
	Warm bool
	Cold time.Duration // cold start, if not Warm
}

// Line is what a Policy may ask of the queue while it decides. [Queue] is one.
type Line interface {
	// Ahead is the expected work, in seconds of one server, of those waiting that
	// would be served before a newcomer of that deadline (on the driver's clock, as
	// now; 0 for none).
	Ahead(now, deadline time.Duration) time.Duration
}

// Neighbour is a peer that could take the invocation.
type Neighbour struct {
	ID         peer.ID
	Zone       string
	Arch       string
	RTT        time.Duration
	Throughput float64 // bytes per second, 0 if unknown
	Relayed    bool
	Health     float64 // 0 failing, 1 well
	Honesty    float64 // 0 reports mislead, 1 they hold
	Load       Load
	// Sampled is when Load was true, on the View's clock.
	Sampled time.Duration
	// OwnSends counts what this node sent there that Load does not include yet,
	// as it was sampled before their arrival, and that has not been answered.
	// OwnWork is the sum of their expected service times there.
	OwnSends int
	OwnWork  time.Duration
	Service  Service
	Warm     bool
	Cold     time.Duration
}

// Age is how old the neighbour's Load is.
func (n *Neighbour) Age(now time.Duration) time.Duration { return max(0, now-n.Sampled) }

// Queue is the neighbour's running and waiting invocations, own sends included.
func (n *Neighbour) Queue() int { return n.Load.Total() + n.OwnSends }

// Neighbour returns the neighbour of that ID, nil if it is not in view.
func (v *View) Neighbour(id peer.ID) *Neighbour {
	lo, hi := 0, len(v.Neighbours)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if v.Neighbours[mid].ID < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(v.Neighbours) && v.Neighbours[lo].ID == id {
		return &v.Neighbours[lo]
	}
	return nil
}

// Request is what a Policy may know of an invocation.
type Request struct {
	Function string // name[.namespace]
	BodySize int64  // bytes, -1 if unknown
	// Deadline is the time left until the answer must leave this node, 0 for
	// none: what an invocation took to come here and its answer will take back
	// is off already. Who forwards takes the RTT off.
	Deadline time.Duration
	// Hops counts the forwards so far; Visited are the nodes on the way, the
	// entry first, this one not included.
	Hops       int
	Visited    []peer.ID
	TaskType   float64
	Priority   int
	Idempotent bool
	// Weight is the share of a server that it takes.
	Weight float64
	// Nested tells that a function running here made the call.
	Nested bool
	// Round counts the calls of Decide before this one; Probed are the peers
	// that answered this invocation's probes so far.
	Round  int
	Probed []peer.ID
	// Advice answers the Ask of the round before, if there was one and an answer.
	Advice Advice
	// Token is of this node's Decision on it before this one, 0 if there was none:
	// of the round before, or in round 0 of an attempt that came to nothing.
	Token uint64
}

// External tells whether the invocation came from a peer.
func (r *Request) External() bool { return r.Hops > 0 }

// HasVisited tells whether id is on the way so far.
func (r *Request) HasVisited(id peer.ID) bool {
	for _, v := range r.Visited {
		if v == id {
			return true
		}
	}
	return false
}

// Result classifies how an invocation ended.
type Result uint8

const (
	// Answered by the function, whatever its status.
	Answered Result = iota
	// Refused by whoever was to run it.
	Refused
	// Expired before or while it ran.
	Expired
	// Failed: no answer, or a cut one.
	Failed
	// Cancelled by the caller.
	Cancelled
)

// Outcome is how an invocation ended that this node decided on.
type Outcome struct {
	Request  Request
	Decision Decision
	Result   Result
	// OnTime: answered within its deadline, or answered at all if it has none.
	OnTime bool
	// Response is the time from admission to the end of the answer; Queue and
	// Service are the parts at the executing node, 0 if unknown.
	Response time.Duration
	Queue    time.Duration
	Service  time.Duration
}
