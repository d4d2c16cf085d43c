package async

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/async"
)

// callbackLimit bounds one callback, the receiver's answer included.
const callbackLimit = time.Minute

// statusNoAnswer is the X-Function-Status of a call that brought no answer, as
// OpenFaaS's queue-worker says it.
const statusNoAnswer = http.StatusServiceUnavailable

func newPoster(rt http.RoundTripper) http.Client {
	if rt == nil {
		dialer := net.Dialer{Timeout: 10 * time.Second}
		rt = &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext,
			MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second,
		}
	}
	return http.Client{Transport: rt, Timeout: callbackLimit, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // most redirects would turn the POST into a GET without its body
	}}
}

// post tells the callback URL what came of a call, once.
func (e *Engine) post(ctx context.Context, n *entry, l *line) {
	r, err := e.store.load(n.seq)
	if err == nil {
		err = e.deliver(ctx, n.seq, r)
	}
	if err != nil && errors.Is(context.Cause(ctx), errClosing) {
		return // left to the next start
	}
	e.counts.callback(err)
	how := byFunction
	if err != nil {
		how = byNobody
	}
	now := time.Now()
	e.passed(l, how, 0, now)
	if r == nil {
		log.Errorw("a stored call cannot be read, and its callback is not posted", "call", n.id, "error", err)
		e.done(n)
		return
	}
	e.settling(n)
	r.posted(err, &e.cfg.Callbacks, now)
	if e.persist(n, r, spooled{}) {
		e.settled(n, r, now)
	}
}

// posted notes how a callback fared.
func (r *record) posted(err error, p *RetryPolicy, now time.Time) {
	c := &r.Callback
	c.Attempts++
	switch {
	case err == nil:
		c.Due, c.Delivered, r.Next = false, true, time.Time{}
	case c.Attempts >= p.Attempts:
		c.Due = false
		r.Problem = fmt.Sprintf("callback: %v; %d of %d attempts made", err, c.Attempts, p.Attempts)
		r.end(async.Dead, now)
	default:
		r.Problem = fmt.Sprintf("callback: %v", err)
		r.Next = now.Add(p.wait(c.Attempts))
	}
}

// deliver posts the function's answer: its header and body, and what it was an
// answer to.
func (e *Engine) deliver(ctx context.Context, seq uint64, r *record) error {
	var body io.ReadCloser = http.NoBody
	if r.Answered && r.Result.Size > 0 {
		var err error
		if body, err = e.store.open(seq, answer, r.Result); err != nil {
			return err
		}
	}
	defer body.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Call.Callback, body)
	if err != nil {
		return err
	}
	req.ContentLength = r.Result.Size
	for _, f := range r.Header {
		if f.Name != "Content-Length" && f.Name != "Host" {
			req.Header.Add(f.Name, f.Value)
		}
	}
	stamp(req.Header, r)
	resp, err := e.poster.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, copySize) // so that the connection can be kept
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s answered with status %d", req.URL.Redacted(), resp.StatusCode)
	}
	return nil
}

// stamp says which call an answer is of.
func stamp(h http.Header, r *record) {
	status := r.Code
	if !r.Answered {
		status = statusNoAnswer
	}
	h.Set("X-Call-Id", r.Call.ID)
	h.Set("X-Function-Name", r.Call.Function)
	h.Set("X-Function-Status", strconv.Itoa(status))
	h.Set("X-Duration-Seconds", strconv.FormatFloat(r.Took.Seconds(), 'f', 6, 64))
	if s := field(r.Call.Header, "X-Start-Time"); s != "" {
		h.Set("X-Start-Time", s)
	}
}
