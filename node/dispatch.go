package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// dispatcher brings invocations to their answers. Nothing else in the node
// decides, runs or forwards.
type dispatcher struct {
	self      peer.ID
	zone      string
	clock     func() time.Duration
	retry     string
	functions *functions
	slots     *slots
	runtime   faas.Runtime
	mesh      neighbours
	client    forwarder
	asker     asker
	policy    *policyBox
	// consultant is whom policies ask that do not decide themselves; nil if nobody.
	consultant consultant
	care       *care
	running    running
	via        string // this node in the header Via
	mix        mixture
	arrivals   rate
	forwards   rate
	budget     *replayBudget
	alarms     *alarms
	records    *records
	metrics    *metrics
}

// neighbours is what dispatch wants of the mesh; see package node/mesh.
type neighbours interface {
	Fill(dst []sched.Neighbour, function string, fp [8]byte) []sched.Neighbour
	Utilisation() float64
	Idempotent(function string) bool
	Gone(function string) (ago time.Duration, ok bool)
	Runs(function string) bool
	Find(ctx context.Context, function string) bool
	Names() []string
	Probe(ctx context.Context, peers []peer.ID) (answered []peer.ID)
	Sent(p peer.ID, function string, guess time.Duration)
	Look(p peer.ID, function string, fp [8]byte) (sched.Neighbour, bool)
	All(dst []sched.Neighbour) []sched.Neighbour
	Distance(p peer.ID) time.Duration
	Done(p peer.ID, d mesh.Done)
}

// maxAttempts bounds how often one node tries to get one invocation answered.
const maxAttempts = 6

// dispatch is the path of an invocation through this node: admit, then decide
// and act until there is an answer or no further attempt is allowed. The
// answer's Body must be closed; that ends the invocation.
func (d *dispatcher) dispatch(ctx context.Context, inv *invocation) (*invoke.Answer, error) {
	if err := d.care.take(d.isInner(inv)); err != nil {
		inv.body.close()
		return nil, err
	}
	if err := d.admit(ctx, inv); err != nil {
		return nil, d.failed(ctx, inv, err)
	}
	ctx = inv.live(ctx, d.alarms)
	var before error // why the attempt before failed
	for {
		decision := d.decide(ctx, inv)
		if decision.Action == sched.Refuse && inv.returned {
			inv.last.Action = sched.Run // nobody else takes what waited here
			decision = inv.last
		} else if decision.Action == sched.Refuse && before != nil {
			return nil, d.failed(ctx, inv, before) // says more than that nobody is left
		}
		answer, err := d.act(ctx, inv, decision)
		if err == nil {
			return d.answered(inv, answer), nil
		}
		inv.at = d.clock()
		d.records.tried(inv, err)
		if !d.again(ctx, inv, decision, err) {
			return nil, d.failed(ctx, inv, err)
		}
		before = err
	}
}

// admit fills in what is known here of the function, or says why the
// invocation can go nowhere.
func (d *dispatcher) admit(ctx context.Context, inv *invocation) error {
	inv.received = d.clock()
	inv.at = inv.received
	inv.hop.Peer = d.self
	inv.visited = append(inv.Hops[:len(inv.Hops):len(inv.Hops)], inv.Avoid...)
	d.records.begin(inv)
	var unsure error // whether the function is deployed here
	inv.function, unsure = d.own(ctx, inv.Function)
	if len(inv.Hops) == 0 {
		d.arrivals.tick(inv.received)
	}
	if fn := inv.function; fn != nil {
		inv.MayRepeat = inv.MayRepeat || fn.idempotent
		if inv.Deadline == 0 {
			inv.Deadline = fn.deadline
		}
		if len(inv.Fingerprint) > 0 && string(inv.Fingerprint) != string(fn.print[:]) {
			return &invoke.Error{Code: invoke.CodeWrongVersion, Text: fmt.Sprintf("%s is deployed here in another version", inv.Function)}
		}
	} else if !d.isKnown(ctx, inv) {
		if unsure != nil {
			return runError(unsure)
		}
		return d.noFunction(inv.Function)
	} else {
		inv.MayRepeat = inv.MayRepeat || d.mesh.Idempotent(inv.Function)
		inv.at = d.clock() // finding out may have taken a while
	}
	inv.metrics = d.metrics.of(inv.Function)
	inv.metrics.begin(inv)
	if err := d.adopt(inv); err != nil {
		return err
	}
	if inv.Deadline > 0 {
		inv.deadline = inv.received + inv.Deadline
	}
	return nil
}

// isKnown tells whether a neighbour runs the function, or one could be found that
// does. Who passed the invocation on to us can look further by itself.
func (d *dispatcher) isKnown(ctx context.Context, inv *invocation) bool {
	if known := d.mesh.Runs(inv.Function); known || len(inv.Hops) > 0 {
		return known
	}
	if inv.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, inv.Deadline)
		defer cancel()
	}
	return d.mesh.Find(ctx, inv.Function)
}

// decide asks the policy, and does the probing, waiting and asking that it wants first.
func (d *dispatcher) decide(ctx context.Context, inv *invocation) sched.Decision {
	if inv.handed != "" {
		return d.handOver(inv)
	}
	began := inv.at
	defer func() {
		inv.at = d.clock()
		inv.hop.Decide += inv.at - began
	}()
	inv.asked = inv.request(began)
	for ; inv.asked.Round < sched.MaxRounds; inv.asked.Round++ {
		inv.last = d.ask(inv)
		switch inv.last.Action {
		case sched.Probe:
			d.probe(ctx, inv)
		case sched.Wait:
			pause(ctx, inv.last.Delay)
		case sched.Ask:
			d.consult(ctx, inv)
		default:
			inv.sayFallback()
			return inv.last
		}
	}
	inv.last = sched.Decision{Action: sched.Run, Reason: sched.ReasonMaxRounds}
	if inv.function == nil {
		inv.last.Action = sched.Refuse
	}
	d.records.decided(inv, nil, &inv.last)
	return inv.last
}

func (d *dispatcher) probe(ctx context.Context, inv *invocation) {
	began := d.clock()
	d.metrics.probes.Add(float64(len(inv.last.Probes)))
	answered := d.mesh.Probe(ctx, inv.last.Probes)
	inv.asked.Probed = append(inv.asked.Probed, answered...)
	inv.hop.Probe += d.clock() - began
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// act does what was decided, and returns once the answer's header is there.
func (d *dispatcher) act(ctx context.Context, inv *invocation, decision sched.Decision) (*invoke.Answer, error) {
	inv.attempts++
	inv.hop.Reason = uint8(decision.Reason)
	switch decision.Action {
	case sched.Run:
		return d.run(ctx, inv)
	case sched.Forward:
		answer, err := d.forward(ctx, inv, decision.Peer)
		inv.at = d.clock()
		return answer, err
	}
	return nil, d.refusal(decision.Reason)
}

// again says whether another attempt is right: it has not started there or may
// run twice, its body can be sent again, and there is time.
func (d *dispatcher) again(ctx context.Context, inv *invocation, decision sched.Decision, err error) bool {
	if decision.Action == sched.Refuse || ctx.Err() != nil || inv.attempts >= maxAttempts || !inv.body.replayable() {
		return false
	}
	var handed *handedOver
	switch {
	case decision.Action == sched.Run && codeOf(err) == invoke.CodeExpired:
		return false // not even a fast service would end in time
	case errors.As(err, &handed):
		inv.handed, inv.returned = handed.to, true // if that fails, its place in line is gone, but not its right to one
		return true
	case decision.Action == sched.Run:
		inv.awayOnly = true
		inv.returned = err == errReturned
	case decision.Action == sched.Forward:
		inv.visited = append(inv.visited[:len(inv.visited):len(inv.visited)], decision.Peer)
	}
	if invoke.NotStarted(err) {
		return true
	}
	switch d.retry {
	case RetryAlways:
		return true
	case RetryNever:
		return false
	}
	return inv.MayRepeat
}

// answered completes an answer, and sees to its end: the last that happens to
// an invocation happens when its body is closed.
func (d *dispatcher) answered(inv *invocation, a *invoke.Answer) *invoke.Answer {
	inv.headerCame()
	inv.status = a.Status
	inv.hop.Total = inv.at - inv.received
	inv.hop.Attempts = inv.attempts
	a.Hops = append(append(inv.hops[:0], inv.hop), a.Hops...)
	d.records.answered(inv, a)
	end := &inv.ending
	end.inv, end.of = inv, d
	if a.Conn != nil {
		a.Conn = &endingConn{Conn: a.Conn, end: end}
	} else {
		end.body = endingBody{ReadCloser: a.Body, end: end, left: a.Size}
		a.Body = &end.body
		if a.Size == 0 || a.NoBody {
			end.complete(inv.at)
		}
	}
	return a
}

// failed turns the last error into what the caller is told.
func (d *dispatcher) failed(ctx context.Context, inv *invocation, err error) error {
	var e *invoke.Error
	if cause := context.Cause(ctx); cause != nil && !errors.As(cause, &e) {
		e = &invoke.Error{Code: invoke.CodeCancelled, Err: cause}
	}
	if e == nil && !errors.As(err, &e) {
		e = &invoke.Error{Code: invoke.CodeUnknown, Text: "it may have run", Err: err}
		if invoke.NotStarted(err) {
			e = &invoke.Error{Code: invoke.CodeUnavailable, Text: "no node that runs it could be reached", Err: err}
		}
	}
	inv.at = d.clock()
	d.metrics.failed(inv, e, inv.at-inv.received)
	d.observe(inv, e)
	inv.end()
	d.care.leave()
	told := *e // it may be one that others are told too
	told.Hops = inv.path(inv.at)
	return &told
}
