package schedtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// check plays the script to two new policies and tells the first breach of the
// contract.
func check(newPolicy func() sched.Policy, s script) error {
	first, second := newPolicy(), newPolicy()
	decisions, err := play(first, s)
	if err != nil {
		return err
	}
	again, err := play(second, s)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(decisions, again) {
		return fmt.Errorf("not deterministic: the same input gave\n%+v\nand then\n%+v", decisions, again)
	}
	return checkOptional(first, newPolicy)
}

// play drives one policy and returns all that it decided.
func play(p sched.Policy, s script) ([]sched.Decision, error) {
	rng := rand.New(rand.NewPCG(s.Seed, 1))
	var all []sched.Decision
	for i := range s.Invocations {
		call := s.Invocations[i].copy()
		decisions, err := drive(p, &call, rng)
		if err != nil {
			return nil, fmt.Errorf("invocation %d: %w", i, err)
		}
		all = append(all, decisions...)
		finish(p, &call, decisions[len(decisions)-1])
		if err := lessons(p); err != nil {
			return nil, err
		}
		if err := idle(p, &call, rng); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// drive calls Decide until the invocation's fate is known.
func drive(p sched.Policy, call *invocation, rng *rand.Rand) ([]sched.Decision, error) {
	var all []sched.Decision
	for call.Request.Round < sched.MaxRounds {
		v, r := call.view(rng), call.request()
		d := p.Decide(v, r)
		if err := untouched(call, v, r, rng); err != nil {
			return nil, err
		}
		if err := allowed(call, d); err != nil {
			return nil, fmt.Errorf("round %d: %v %q (%v): %w", r.Round, d.Action, d.Peer, d.Reason, err)
		}
		d.Probes, d.Question = slices.Clone(d.Probes), d.Question.Clone()
		all = append(all, d)
		if err := lessons(p); err != nil {
			return nil, err
		}
		if d.Action == sched.Run || d.Action == sched.Forward || d.Action == sched.Refuse {
			return all, nil
		}
		proceed(p, call, d)
	}
	return nil, fmt.Errorf("no end: still %v after %d rounds", all[len(all)-1].Action, sched.MaxRounds)
}

// proceed does what a driver does between two rounds.
func proceed(p sched.Policy, call *invocation, d sched.Decision) {
	switch d.Action {
	case sched.Probe:
		before := len(call.Request.Probed)
		call.answer(d.Probes)
		notify(p, call, call.Request.Probed[before:])
	case sched.Wait:
		call.View.Now += d.Delay
	case sched.Ask:
		call.Request.Advice = call.Advices[call.Request.Round]
	}
	call.Request.Round++
	call.Request.Token = d.Token
}

func notify(p sched.Policy, call *invocation, answered []peer.ID) {
	n, ok := p.(sched.Notified)
	if !ok {
		return
	}
	for _, id := range answered {
		n.Report(sched.News{Of: id, Load: call.View.Neighbour(id).Load, Sampled: call.View.Now, Now: call.View.Now, Via: sched.ViaMessage})
	}
}

func finish(p sched.Policy, call *invocation, d sched.Decision) {
	o, ok := p.(sched.Observer)
	if !ok {
		return
	}
	answered := call.Result == sched.Answered && d.Action != sched.Refuse
	o.Observe(sched.Outcome{
		Request:  *call.request(),
		Decision: d,
		Result:   call.Result,
		OnTime:   answered,
		Response: 100 * time.Millisecond,
		Queue:    40 * time.Millisecond,
		Service:  50 * time.Millisecond,
	})
}

// idle asks a Puller whom it would ask for work.
func idle(p sched.Policy, call *invocation, rng *rand.Rand) error {
	i, ok := p.(sched.Puller)
	if !ok {
		return nil
	}
	v := call.view(rng)
	ask, _, ok := i.Idle(v)
	if err := untouched(call, v, call.request(), rng); err != nil {
		return fmt.Errorf("idle: %w", err)
	}
	if ok && call.View.Neighbour(ask.Peer) == nil {
		return fmt.Errorf("idle: asks %q, who is not in view", ask.Peer)
	}
	return nil
}

func untouched(call *invocation, v *sched.View, r *sched.Request, rng *rand.Rand) error {
	if !reflect.DeepEqual(v, call.view(rng)) {
		return fmt.Errorf("changed the view:\n%+v\nwas\n%+v", v, call.view(rng))
	}
	if !reflect.DeepEqual(r, call.request()) {
		return fmt.Errorf("changed the request:\n%+v\nwas\n%+v", r, call.request())
	}
	return nil
}

// allowed tells whether the contract permits d.
func allowed(call *invocation, d sched.Decision) error {
	switch {
	case d.Reason == sched.ReasonUnknown:
		return fmt.Errorf("without a reason")
	case !finite(d.Score.Here) || !finite(d.Score.There):
		return fmt.Errorf("score %v is not finite", d.Score)
	case (d.Action == sched.Forward) != (d.Peer != ""):
		return fmt.Errorf("a peer goes with Forward and only with it")
	}
	if err := allowedProbes(call, d); err != nil {
		return err
	}
	switch d.Action {
	case sched.Run:
		if !call.View.Self.Deployed {
			return fmt.Errorf("runs what is not deployed here")
		}
	case sched.Forward:
		return reachable(call, d.Peer)
	case sched.Wait:
		if d.Delay <= 0 {
			return fmt.Errorf("waits for %v", d.Delay)
		}
	case sched.Ask:
		return askable(d.Question)
	case sched.Refuse, sched.Probe:
	default:
		return fmt.Errorf("no such action")
	}
	return nil
}

func allowedProbes(call *invocation, d sched.Decision) error {
	switch {
	case d.Action == sched.Probe && len(d.Probes) == 0:
		return fmt.Errorf("probes nobody")
	case d.Action != sched.Probe && len(d.Probes) > 0 && d.ProbesFor != sched.ProbesForLater:
		return fmt.Errorf("probes for this invocation, but does not wait for them")
	}
	for i, id := range d.Probes {
		if slices.Contains(d.Probes[:i], id) {
			return fmt.Errorf("probes %q twice", id)
		}
		if id == call.View.Self.ID || call.View.Neighbour(id) == nil {
			return fmt.Errorf("probes %q, who is not a neighbour in view", id)
		}
	}
	return nil
}

// reachable tells whether the invocation may go to id.
func reachable(call *invocation, id peer.ID) error {
	switch {
	case id == call.View.Self.ID:
		return fmt.Errorf("goes to itself")
	case call.Request.HasVisited(id):
		return fmt.Errorf("goes to %q, where it has been", id)
	case call.View.Neighbour(id) == nil:
		return fmt.Errorf("goes to %q, who is not in view", id)
	}
	return nil
}

// checkOptional checks what the policy offers besides Decide.
func checkOptional(p sched.Policy, newPolicy func() sched.Policy) error {
	if d, ok := p.(sched.Describer); ok && d.Describe() == "" {
		return fmt.Errorf("describe: says nothing")
	}
	s, ok := p.(sched.Snapshotter)
	if !ok {
		return nil
	}
	saved, err := s.Snapshot()
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	fresh := newPolicy().(sched.Snapshotter)
	if err := fresh.Restore(saved); err != nil {
		return fmt.Errorf("restore of its own snapshot: %w", err)
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
