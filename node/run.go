package node

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// streamsAfter is when an answer that still streams gives its server back.
const streamsAfter = 5 * time.Second

// stay is what it takes to run an invocation here, in one piece of memory.
type stay struct {
	slot    slot
	held    heldSlot
	request faas.Request
	answer  invoke.Answer
	header  [6]faas.Field // memory of the request's
}

// newStay is the invocation's own the first time.
func (inv *invocation) newStay() *stay {
	if s := inv.stay; s != nil {
		inv.stay = nil
		return s
	}
	return new(stay)
}

// run has the function run here, once a server is free.
func (d *dispatcher) run(ctx context.Context, inv *invocation) (*invoke.Answer, error) {
	s := inv.newStay()
	slot, err := d.server(ctx, inv, s)
	if err != nil {
		return nil, err
	}
	if !inv.caller.Start() {
		slot.release()
		return nil, takenBack()
	}
	inv.hop.Queue, inv.sentTo = slot.waited, ""
	held := &s.held
	held.slot, held.began, held.of, held.inv, held.served = slot, inv.at+slot.waited, d, inv, true
	d.running.add(inv)
	inv.function.demand.begin(held.began)
	inv.toFunction(s, d.via, d.running.key, held.began)
	resp, err := d.runtime.Invoke(ctx, &s.request)
	inv.at = d.clock()
	if err != nil {
		held.served = false
		held.release(inv.at)
		return nil, runError(err)
	}
	inv.hop.Service = inv.at - held.began
	inv.ending.held = held
	return s.answerOf(inv, resp), nil
}

// server is a server's, or that of the invocation which made this one.
func (d *dispatcher) server(ctx context.Context, inv *invocation, s *stay) (*slot, error) {
	if borrowed := d.borrow(inv); borrowed != nil {
		return borrowed, nil
	}
	return &s.slot, d.slots.take(ctx, &s.slot, inv.wants, inv.at)
}

func takenBack() error {
	return &invoke.Error{Code: invoke.CodeTakenBack, Text: "its caller took it back while it waited"}
}

// toFunction is the request as the function gets it.
func (inv *invocation) toFunction(s *stay, via, key string, now time.Duration) {
	r := &s.request
	*r = faas.Request{
		Name: inv.function.name, CallID: inv.CallID, Method: inv.Method, Path: inv.Path, Query: inv.Query,
		Host: inv.Host, Size: inv.Size, Upgrade: inv.Upgrade, Header: s.header[:0],
	}
	if body := inv.body.attempt(); body != nil && inv.Size != 0 {
		r.Body = body
	}
	if t := inv.Trailer; t != nil {
		r.Trailer = func() faas.Header { return faas.Header(t()) }
	}
	if most := len(inv.Header) + 5; most > len(s.header) {
		r.Header = make(faas.Header, 0, most)
	}
	r.Header = append(r.Header, faas.Header(inv.Header)...)
	r.Header.Add("X-Call-Id", inv.CallID)
	r.Header.Add(gateway.HeaderParent, parentOf(inv, key, now).String())
	r.Header.Add("Via", via)
	if inv.TraceParent != "" {
		r.Header.Add("Traceparent", inv.TraceParent)
	}
	if inv.TraceState != "" {
		r.Header.Add("Tracestate", inv.TraceState)
	}
}

// answerOf is the function's answer, which gives the slot back when it has ended.
func (s *stay) answerOf(inv *invocation, resp *faas.Response) *invoke.Answer {
	a, held := &s.answer, &s.held
	*a = invoke.Answer{
		Status: resp.Status, Header: invoke.Header(resp.Header), Size: resp.Size,
		NoBody:      bodiless(inv.Method, resp.Status),
		Fingerprint: inv.function.print[:],
	}
	if t := resp.Trailer; t != nil {
		a.Trailer = func() invoke.Header { return invoke.Header(t()) }
	}
	if resp.Conn != nil {
		held.detach()
		a.Conn = resp.Conn
		return a
	}
	a.Body = resp.Body
	if resp.Size < 0 || resp.Size > invoke.FirstWindow {
		held.limit = time.AfterFunc(streamsAfter, held.detach)
	}
	return a
}

func bodiless(method string, status int) bool {
	return method == "HEAD" || status == 204 || status == 304
}

// runError says what the failure of a Runtime means for the invocation.
func runError(err error) error {
	var e *invoke.Error
	switch {
	case errors.As(err, &e):
		return err
	case errors.Is(err, faas.ErrNotFound):
		return &invoke.Error{Code: invoke.CodeNoFunction, Text: err.Error()}
	case errors.Is(err, faas.ErrUnavailable), errors.Is(err, faas.ErrNotStarted):
		return &invoke.Error{Code: invoke.CodeUnavailable, Text: err.Error(), RetryAfter: time.Second}
	case errors.Is(err, faas.ErrInvalid):
		return &invoke.Error{Code: invoke.CodeBadRequest, Text: err.Error()}
	}
	e = &invoke.Error{Code: invoke.CodeFailed, Text: "the function gave no valid answer", Err: err}
	if errors.Is(err, faas.ErrEnded) {
		e.Text += ": " + err.Error()
	}
	return e
}

// heldSlot gives a slot back, once, and measures how long it was held.
type heldSlot struct {
	slot     *slot
	began    time.Duration
	of       *dispatcher
	inv      *invocation
	served   bool        // there was an answer
	limit    *time.Timer // frees the server of a long stream; nil if none
	released atomic.Bool
	counted  atomic.Bool // its end, in the function's demand
}

// detach gives the server back while the answer streams on.
func (h *heldSlot) detach() {
	h.uncount(h.of.clock())
	h.slot.detach()
}

func (h *heldSlot) uncount(now time.Duration) {
	if !h.counted.Swap(true) {
		h.inv.function.demand.end(now)
	}
}

// measure takes the time as a service time. What failed counts only if it took
// long: who fails at once is not fast.
func (h *heldSlot) measure(took time.Duration) {
	service := h.inv.function.service
	if h.served || took > service.get().Mean {
		h.of.mix.add(service.add(took))
	}
}

// release is for the end of the answer, or of the attempt.
func (h *heldSlot) release(now time.Duration) {
	if h.released.Swap(true) {
		return
	}
	if h.limit != nil {
		h.limit.Stop()
	}
	h.of.running.remove(h.inv)
	h.uncount(now)
	h.measure(min(now-h.began, streamsAfter))
	h.of.policy.served(now)
	h.slot.releaseAt(now)
}
