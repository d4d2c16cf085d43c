package node

import (
	"context"
	"errors"
	"io"
	"sync"
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
	body    heldBody
}

// run has the function run here, once a server is free.
func (d *dispatcher) run(ctx context.Context, inv *invocation) (*invoke.Answer, error) {
	s := new(stay)
	slot := d.borrow(inv)
	if slot == nil {
		slot = &s.slot
		if err := d.slots.take(ctx, slot, inv.need()); err != nil {
			return nil, err
		}
	}
	if !inv.caller.Start() {
		slot.release()
		return nil, takenBack()
	}
	inv.hop.Queue, inv.sentTo = slot.waited, ""
	began := d.clock()
	d.running.add(inv)
	inv.function.demand.begin(began)
	held := &s.held
	held.slot, held.began, held.of, held.inv, held.served = slot, began, d, inv, true
	inv.toFunction(&s.request, d.via, d.running.key, began)
	resp, err := d.runtime.Invoke(ctx, &s.request)
	if err != nil {
		held.served = false
		held.release()
		return nil, runError(err)
	}
	inv.hop.Service = d.clock() - began
	return s.answerOf(inv, resp), nil
}

func takenBack() error {
	return &invoke.Error{Code: invoke.CodeTakenBack, Text: "its caller took it back while it waited"}
}

// toFunction is the request as the function gets it.
func (inv *invocation) toFunction(r *faas.Request, via, key string, now time.Duration) {
	*r = faas.Request{
		Name: inv.function.name, CallID: inv.CallID, Method: inv.Method, Path: inv.Path, Query: inv.Query,
		Host: inv.Host, Size: inv.Size, Upgrade: inv.Upgrade,
		Header: make(faas.Header, 0, len(inv.Header)+5),
	}
	if body := inv.body.attempt(); body != nil && inv.Size != 0 {
		r.Body = body
	}
	if t := inv.Trailer; t != nil {
		r.Trailer = func() faas.Header { return faas.Header(t()) }
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
		a.Conn, a.Body = &heldConn{Conn: resp.Conn, held: held}, nil
		return a
	}
	s.body = heldBody{ReadCloser: resp.Body, held: held}
	a.Body = &s.body
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
	slot    *slot
	began   time.Duration
	of      *dispatcher
	inv     *invocation
	served  bool        // there was an answer
	limit   *time.Timer // frees the server of a long stream; nil if none
	once    sync.Once
	counted sync.Once // its end, in the function's demand
}

// detach gives the server back while the answer streams on.
func (h *heldSlot) detach() {
	h.uncount()
	h.slot.detach()
}

func (h *heldSlot) uncount() {
	h.counted.Do(func() { h.inv.function.demand.end(h.of.clock()) })
}

// measure takes the time as a service time. What failed counts only if it took
// long: who fails at once is not fast.
func (h *heldSlot) measure(took time.Duration) {
	service := h.inv.function.service
	if h.served || took > service.get().Mean {
		h.of.mix.add(service.add(took))
	}
}

func (h *heldSlot) release() {
	h.once.Do(func() {
		if h.limit != nil {
			h.limit.Stop()
		}
		h.of.running.remove(h.inv)
		h.uncount()
		now := h.of.clock()
		h.measure(min(now-h.began, streamsAfter))
		h.of.policy.served(now)
		h.slot.release()
	})
}

// heldBody releases the slot when the answer has been read or is given up.
type heldBody struct {
	io.ReadCloser
	held *heldSlot
}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.held.release()
	}
	return n, err
}

func (b *heldBody) Close() error {
	defer b.held.release()
	return b.ReadCloser.Close()
}

// heldConn releases the slot when an upgraded connection closes.
type heldConn struct {
	faas.Conn
	held *heldSlot
}

func (c *heldConn) Close() error {
	defer c.held.release()
	return c.Conn.Close()
}
