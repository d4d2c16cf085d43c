package node

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Find returns what is kept of the calls of that ID, oldest first, the latest of
// them if there are more than can be told.
func (r *records) Find(id string) []control.Call {
	found := []control.Call{}
	for _, number := range r.numbers(cut(id)) {
		if c, ok := r.read(number, true); ok {
			found = append(found, c)
		}
	}
	return found
}

// numbers are those of the calls of that ID.
func (r *records) numbers(id string) (found []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for number := r.lastCall; len(found) < control.MaxTold; number-- {
		c := r.call(number)
		if c == nil {
			break
		}
		if string(c.text[:c.idSize]) == id {
			found = append(found, number)
		}
	}
	slices.Reverse(found)
	return found
}

// Recent returns the latest calls that keep accepts, the latest first, without
// candidates.
func (r *records) Recent(most int, keep func(*control.Call) bool) []control.Call {
	r.mu.Lock()
	number := r.lastCall
	r.mu.Unlock()
	found := []control.Call{}
	for ; number > 0 && len(found) < most; number-- {
		c, ok := r.read(number, false) // one at a time: invocations wait for none but that
		if !ok {
			break
		}
		if keep(&c) {
			found = append(found, c)
		}
	}
	return found
}

// read makes one call's record readable; false if it is overwritten by now.
func (r *records) read(number uint64, candidates bool) (control.Call, bool) {
	now, wall := r.clock(), time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.call(number)
	if c == nil {
		return control.Call{}, false
	}
	out := control.Call{
		ID: string(c.text[:c.idSize]), Function: string(c.text[c.idSize:]),
		Origin: c.origin(), From: c.from, Hops: slices.DeleteFunc(slices.Clone(c.hops), isNoPeer),
		Ran: c.ran, Policy: c.policy, Outcome: c.outcome(), Code: word(c.code),
		Began: wall.Add(c.began - now), Total: c.total,
		Decide: c.decide.duration(), Probe: c.probe.duration(), Queue: c.queue.duration(), Service: c.service.duration(),
		Steps: r.readSteps(c, candidates),
	}
	if isNoPeer(out.Ran) {
		out.Ran = ""
	}
	return out, true
}

// isNoPeer tells whether p, which somebody else wrote, is no peer ID.
func isNoPeer(p peer.ID) bool {
	_, err := peer.IDFromBytes([]byte(p))
	return err != nil
}

func (c *callRecord) origin() string {
	switch {
	case len(c.hops) > 0:
		return control.OriginPeer
	case c.from != "":
		return control.OriginSDK
	}
	return control.OriginHTTP
}

func (c *callRecord) outcome() string {
	if !c.ended {
		return control.OutcomeUnderWay
	}
	return c.result.String()
}

// word is a code as records tell it.
func word(code uint16) string {
	if code == 0 {
		return ""
	}
	return strings.ReplaceAll(invoke.Code(code).String(), " ", "-")
}

func (r *records) readSteps(c *callRecord, candidates bool) []control.Step {
	steps := []control.Step{}
	for number := c.last; len(steps) < control.MaxSteps; {
		s := r.step(number)
		if s == nil {
			break
		}
		step := s.tell()
		if candidates {
			step.Candidates = r.readCandidates(s)
		}
		steps = append(steps, step)
		number = s.before
	}
	slices.Reverse(steps)
	return steps
}

// finite keeps a policy's nonsense from what is written as JSON.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

func (s *stepRecord) tell() control.Step {
	step := control.Step{
		At: s.at.duration(), Action: s.action.String(), Reason: s.reason.String(), Peer: s.peer,
		Here: finite(s.score.Here), There: finite(s.score.There), Own: s.own.tell(), InAll: int(s.inAll), Took: s.took.duration(),
	}
	switch s.result {
	case stepOpen:
	case stepAnswered:
		step.Result = control.ResultOK
	case stepNotReached:
		step.Result = control.ResultNotReached
	case stepFailed:
		step.Result = word(s.code)
	}
	return step
}

// readCandidates returns none if the first of them is overwritten.
func (r *records) readCandidates(s *stepRecord) []control.Candidate {
	first := s.candidates - uint64(s.kept) + 1
	if s.kept == 0 || r.lastCandidate-first >= uint64(len(r.candidates)) {
		return nil
	}
	list := make([]control.Candidate, s.kept)
	for i := range list {
		list[i] = r.candidates[(first-1+uint64(i))%uint64(len(r.candidates))].tell()
	}
	return list
}

func (c *candidateRecord) tell() control.Candidate {
	return control.Candidate{
		Peer: c.peer, Load: c.load.tell(), Age: c.age.duration(), RTT: c.rtt.duration(), OwnSends: int(c.ownSends),
		Health: float64(c.health) / 100, Honesty: float64(c.honesty) / 100, Chosen: c.chosen, Probed: c.probed,
	}
}

func (l *loadRecord) tell() control.Busy {
	return control.Busy{Wait: l.wait.duration(), Running: int(l.running), Queued: int(l.queued), Servers: int(l.servers)}
}
