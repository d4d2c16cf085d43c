package faastest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Invoke implements [faas.Runtime]: it waits for the service time (?d= for this
// request), then answers with the body as it comes, the fields that begin with
// X-Echo-, and the trailer.
func (f *Fake) Invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	fn, err := f.admit(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("invoke: %w: %w", faas.ErrNotStarted, err)
	}
	if r.Path == "/_/counters" {
		return fn.report(), nil
	}
	act, service := f.plan(r)
	if act.Fail != nil && errors.Is(act.Fail, faas.ErrNotStarted) {
		return nil, act.Fail
	}
	if fn.begin() {
		service += f.ColdStart
	}
	fn.say(r)
	if err := fn.serve(ctx, service); err != nil || act.Fail != nil {
		fn.end(err != nil)
		if err == nil {
			err = act.Fail
		}
		return nil, err
	}
	return fn.answer(ctx, r, act), nil
}

func (f *Fake) admit(ctx context.Context, r *faas.Request) (*fakeFunction, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, field := range r.Header {
		if !httpguts.ValidHeaderFieldName(field.Name) || !httpguts.ValidHeaderFieldValue(field.Value) {
			return nil, fmt.Errorf("header field %q: %w", field.Name, faas.ErrInvalid)
		}
	}
	return f.find(r.Name)
}

// plan is what the hook and the query ask for.
func (f *Fake) plan(r *faas.Request) (act Action, service time.Duration) {
	f.mu.Lock()
	hook := f.hook
	service, set := f.service[r.Name]
	f.mu.Unlock()
	if !set {
		service = f.Service
	}
	if hook != nil {
		act = hook(r)
	}
	q, _ := url.ParseQuery(r.Query)
	if d, err := time.ParseDuration(q.Get("d")); err == nil {
		service = d
	}
	if n, err := strconv.ParseInt(q.Get("cut"), 10, 64); err == nil {
		act.Cut, act.CutAfter = true, n
	}
	if n, err := strconv.Atoi(q.Get("status")); err == nil {
		act.Status = n
	}
	return act, service + act.Slow
}

// serve passes the service time.
func (f *fakeFunction) serve(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("call function: %w", context.Cause(ctx))
	case <-f.ctx.Done():
		return fmt.Errorf("call function: %w", context.Cause(f.ctx))
	}
}

func (f *fakeFunction) report() *faas.Response {
	text, _ := json.Marshal(f.read()) // of integers: cannot fail
	return &faas.Response{Status: 200, Body: io.NopCloser(bytes.NewReader(text)), Size: int64(len(text))}
}

func (f *fakeFunction) answer(ctx context.Context, r *faas.Request, act Action) *faas.Response {
	resp := &faas.Response{Status: 200, Size: r.Size, Trailer: r.Trailer}
	if act.Status != 0 {
		resp.Status = act.Status
	}
	for _, field := range r.Header {
		if strings.EqualFold(field.Name, "Content-Type") || strings.HasPrefix(strings.ToLower(field.Name), "x-echo-") {
			resp.Header = append(resp.Header, field)
		}
	}
	source := r.Body
	if source == nil || r.Method == "HEAD" || resp.Status == 204 || resp.Status == 304 {
		source, resp.Size = bytes.NewReader(nil), 0
	}
	resp.Body = f.pump(ctx, source, resp.Size, act)
	return resp
}

// fakeBody is an answer on its way; Read and Close are the pipe's.
type fakeBody struct {
	*io.PipeReader
	fn    *fakeFunction
	ctx   context.Context
	stop  func() bool
	left  int64 // until the cut
	cut   bool
	close sync.Once
}

// pump moves the request's body into the answer. Its goroutine ends with the
// body, or when a Read of it returns after Close.
func (f *fakeFunction) pump(ctx context.Context, source io.Reader, size int64, act Action) *fakeBody {
	pr, pw := io.Pipe()
	b := &fakeBody{PipeReader: pr, fn: f, ctx: ctx, left: act.CutAfter, cut: act.Cut}
	b.stop = context.AfterFunc(ctx, func() { _ = pw.CloseWithError(cutBy(context.Cause(ctx))) })
	go func() {
		n, err := io.Copy(countingWriter{pw, f}, source)
		if err == nil && n < size {
			err = fmt.Errorf("request body: %d of %d bytes", n, size)
		}
		if err != nil {
			err = cutBy(err)
		}
		_ = pw.CloseWithError(err)
	}()
	return b
}

func cutBy(err error) error { return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err) }

func (b *fakeBody) Read(p []byte) (int, error) {
	if b.cut {
		if b.left <= 0 {
			return 0, io.ErrUnexpectedEOF
		}
		p = p[:min(int64(len(p)), b.left)]
	}
	n, err := b.PipeReader.Read(p)
	b.left -= int64(n)
	return n, err
}

// Close ends the call.
func (b *fakeBody) Close() error {
	b.close.Do(func() {
		b.stop()
		_ = b.PipeReader.Close()
		b.fn.end(b.ctx.Err() != nil)
	})
	return nil
}

type countingWriter struct {
	w  *io.PipeWriter
	fn *fakeFunction
}

func (c countingWriter) Write(p []byte) (int, error) {
	c.fn.received(len(p))
	return c.w.Write(p)
}
