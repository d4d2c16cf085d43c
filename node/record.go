package node

import (
	"errors"
	"math"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// Calls that are kept: about 1 MB of memory, and a third of that.
const (
	keptCalls      = 3072
	keptCallsSmall = 1024
)

// records is what was decided lately, in three rings: calls, the steps of calls,
// and the candidates of steps. Each is overwritten at its own pace, so that an
// old call may have lost its candidates, or its first steps, but what is there is
// true. Nothing is allocated once the rings have been filled, and no text is made
// before somebody reads. A nil *records keeps nothing.
type records struct {
	clock func() time.Duration

	mu         sync.Mutex // guards what follows; held for a few microseconds at most
	calls      []callRecord
	steps      []stepRecord
	candidates []candidateRecord
	// How many of each there ever were: number n is kept at index (n-1) modulo
	// the ring's size, until n+size is written. 0 is none.
	lastCall, lastStep, lastCandidate uint64
	// known has one copy of each peer ID: those in a request are parts of a
	// larger string, which must not be kept for their sake.
	known map[peer.ID]peer.ID
}

// maxKnown bounds known; beyond it, it begins anew.
const maxKnown = 1024

// callRecord is one invocation. Its slices are reused by those that follow.
type callRecord struct {
	text    []byte // call ID and function
	hops    []peer.ID
	from    peer.ID // none over HTTP
	ran     peer.ID
	policy  string
	last    uint64 // its last step
	began   time.Duration
	total   time.Duration
	decide  micros
	probe   micros
	queue   micros
	service micros
	code    uint16 // of the error that it ended with, 0 for none
	idSize  uint8
	ended   bool
	result  sched.Result
}

// stepRecord is one decision and what came of it.
type stepRecord struct {
	peer       peer.ID
	before     uint64 // the step before it of the same call
	candidates uint64 // the last of them
	at         micros // since the call began
	took       micros // until its result was known
	score      sched.Score
	own        loadRecord
	code       uint16
	action     sched.Action
	reason     sched.Reason
	result     stepResult
	kept       uint8 // candidates that were kept
	inAll      uint8
}

// stepResult is what came of a decision.
type stepResult uint8

const (
	stepOpen       stepResult = iota // nothing was tried, or it is not over
	stepAnswered                     // the answer's header came
	stepNotReached                   // not even a byte was sent
	stepFailed                       // see code
)

type candidateRecord struct {
	peer     peer.ID
	load     loadRecord
	age, rtt micros
	ownSends uint16
	health   uint8 // in percent
	honesty  uint8
	chosen   bool
	probed   bool
}

type loadRecord struct {
	wait                     micros
	running, queued, servers uint16
}

// micros is a duration in microseconds, up to 71 minutes.
type micros uint32

func microsOf(d time.Duration) micros {
	return micros(min(max(d.Microseconds(), 0), math.MaxUint32))
}

func (m micros) duration() time.Duration { return time.Duration(m) * time.Microsecond }

func small16(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }

func loadRecordOf(l *sched.Load) loadRecord {
	return loadRecord{microsOf(l.Wait), small16(l.Running), small16(l.Queued), small16(l.Servers)}
}

// newRecords keeps that many calls.
func newRecords(size int, clock func() time.Duration) *records {
	return &records{
		clock:      clock,
		calls:      make([]callRecord, size),
		steps:      make([]stepRecord, size),
		candidates: make([]candidateRecord, 2*size),
		known:      make(map[peer.ID]peer.ID),
	}
}

// begin notes that inv has arrived.
func (r *records) begin(inv *invocation) {
	if r == nil {
		return
	}
	var from peer.ID
	if c, ok := inv.caller.(*invoke.Call); ok {
		from = c.From
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastCall++
	inv.record = r.lastCall
	c := &r.calls[(r.lastCall-1)%uint64(len(r.calls))]
	id, function := cut(inv.CallID), cut(inv.Function)
	*c = callRecord{text: append(append(c.text[:0], id...), function...), hops: c.hops[:0], from: from, began: inv.received, idSize: uint8(len(id))}
	for _, hop := range inv.Hops {
		c.hops = append(c.hops, r.know(hop))
	}
}

// cut bounds what is kept of a text that a caller has chosen.
func cut(s string) string { return s[:min(len(s), control.MaxCallID)] }

func (r *records) know(p peer.ID) peer.ID {
	if own, ok := r.known[p]; ok {
		return own
	}
	if len(r.known) >= maxKnown {
		clear(r.known)
	}
	own := peer.ID([]byte(p))
	r.known[own] = own
	return own
}

// call is the record of that number, nil if it is overwritten by now; with mu held.
func (r *records) call(number uint64) *callRecord {
	if number == 0 || r.lastCall-number >= uint64(len(r.calls)) {
		return nil
	}
	return &r.calls[(number-1)%uint64(len(r.calls))]
}

func (r *records) step(number uint64) *stepRecord {
	if number == 0 || r.lastStep-number >= uint64(len(r.steps)) {
		return nil
	}
	return &r.steps[(number-1)%uint64(len(r.steps))]
}

// decided notes one decision on inv and the view it was made in; v is nil if
// it was not the policy's.
func (r *records) decided(inv *invocation, v *sched.View, d *sched.Decision) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.call(inv.record)
	if c == nil {
		return
	}
	r.lastStep++
	s := &r.steps[(r.lastStep-1)%uint64(len(r.steps))]
	*s = stepRecord{
		peer: d.Peer, before: c.last, score: d.Score, action: d.Action, reason: d.Reason,
	}
	c.last = r.lastStep
	if v == nil {
		s.at = microsOf(r.clock() - c.began)
		return
	}
	s.at, s.own = microsOf(v.Now-c.began), loadRecordOf(&v.Self.Load)
	r.look(s, v, &inv.asked, d)
}

// tried notes that the last decision on inv brought no answer.
func (r *records) tried(inv *invocation, err error) {
	if r == nil {
		return
	}
	if _, handed := err.(*handedOver); handed {
		return // the next decision says so
	}
	result, code := resultOf(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.call(inv.record); c != nil {
		r.settle(c, result, code, inv.at-c.began)
	}
}

// settle notes what came of the last decision, with mu held.
func (r *records) settle(c *callRecord, result stepResult, code uint16, after time.Duration) {
	if s := r.step(c.last); s != nil {
		s.result, s.code, s.took = result, code, microsOf(after)-s.at
	}
}

func resultOf(err error) (stepResult, uint16) {
	if errors.Is(err, invoke.ErrNotReached) {
		return stepNotReached, 0
	}
	return stepFailed, uint16(codeOf(err))
}

// answered notes that the header of an answer has come, and where inv ran.
func (r *records) answered(inv *invocation, a *invoke.Answer) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.call(inv.record)
	if c == nil {
		return
	}
	r.settle(c, stepAnswered, 0, inv.at-c.began)
	if len(a.Hops) > 0 {
		c.ran = r.know(a.Hops[len(a.Hops)-1].Peer)
	}
}

// ended notes the end of inv; code is 0 if there was an answer.
func (r *records) ended(inv *invocation, result sched.Result, code invoke.Code) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.call(inv.record)
	if c == nil {
		return
	}
	c.ended, c.result, c.code = true, result, uint16(code)
	c.total, c.policy = inv.at-c.began, inv.hop.Policy
	c.decide, c.probe = microsOf(inv.hop.Decide), microsOf(inv.hop.Probe)
	c.queue, c.service = microsOf(inv.hop.Queue), microsOf(inv.hop.Service)
}
