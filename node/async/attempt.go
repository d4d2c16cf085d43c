package async

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// priority is that of asynchronous calls in a line for a server: whoever waits
// for an answer goes before.
const priority = -1

// outcome is what one attempt brought.
type outcome struct {
	err    error // there was no answer
	status int
	header invoke.Header
	result spooled
	unkept error // why there is no result in spite of an answer
	took   time.Duration
}

// attempt runs a call once.
func (e *Engine) attempt(ctx context.Context, n *entry, l *line) {
	r, err := e.store.load(n.seq)
	if err == nil && n.unsure && e.takenOver(ctx, n) {
		e.hopOff(n, l)
		return
	}
	var o outcome
	if err == nil {
		o, err = e.invoke(ctx, n, r)
	}
	if err != nil { // the store's: nobody was called
		o = outcome{err: &invoke.Error{Code: invoke.CodeBadRequest, Text: "its stored request cannot be read: " + err.Error()}}
	}
	if errors.Is(context.Cause(ctx), errClosing) && (o.err != nil || o.unkept != nil) {
		return // left to the next start
	}
	e.settle(n, l, r, &o)
}

// invoke calls the function, and reads its answer to the end.
func (e *Engine) invoke(ctx context.Context, n *entry, r *record) (o outcome, err error) {
	body, err := e.store.open(n.seq, request, r.Body)
	if err != nil {
		return o, err
	}
	defer body.Close()
	e.counts.attempts.Add(1)
	began := time.Now()
	a, failed := e.cfg.Invoker.Invoke(ctx, requestOf(r, body), gateway.Options{Policy: field(r.Call.Header, gateway.HeaderPolicy)})
	if failed != nil {
		o.err, o.took = failed, time.Since(began)
		return o, nil
	}
	if a.Conn != nil { // nobody asked for an upgrade
		_ = a.Conn.Close()
		o.err = &invoke.Error{Code: invoke.CodeFailed, Text: "the function switched protocols"}
		return o, nil
	}
	o.status, o.header = a.Status, a.Header
	o.result, o.unkept = e.spool(n.seq, answer, a.Body, e.cfg.Disk/4, e.room)
	_ = a.Body.Close() // what was wrong with it, spool has told
	o.took = time.Since(began)
	return o, nil
}

// readAtRun are the fields that the gateway reads of a synchronous call when it
// comes; of an asynchronous one they are stored, and read when it runs.
var readAtRun = []string{
	gateway.HeaderDeadline, gateway.HeaderTimeout, gateway.HeaderTaskType, gateway.HeaderPolicy,
	"Traceparent", "Tracestate",
}

// requestOf is the invocation that a record asks for.
func requestOf(r *record, body io.Reader) *invoke.Request {
	c := &r.Call
	req := &invoke.Request{
		CallID: c.ID, Function: c.Function, Method: c.Method, Path: c.Path, Query: c.Query, Host: c.Host,
		Size: r.Body.Size, Priority: priority,
		TraceParent: field(c.Header, "Traceparent"), TraceState: field(c.Header, "Tracestate"),
		MayRepeat: field(c.Header, "Idempotency-Key") != "",
	}
	if req.Size > 0 {
		req.Body = body
	}
	for _, name := range []string{gateway.HeaderTimeout, gateway.HeaderDeadline} { // the latter has the last word
		if d, err := time.ParseDuration(field(c.Header, name)); err == nil && d > 0 {
			req.Deadline = d
		}
	}
	req.TaskType, _ = strconv.ParseFloat(field(c.Header, gateway.HeaderTaskType), 64) // else 0, none
	for _, f := range c.Header {
		if !slices.Contains(readAtRun, f.Name) {
			req.Header = append(req.Header, f)
		}
	}
	return req
}

// field is the first value of a header field whose name is spelt canonically.
func field(h invoke.Header, name string) string {
	for _, f := range h {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
