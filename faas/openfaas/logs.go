package openfaas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Logs implements [faas.Logger]. A gateway ends a log that is followed when its
// own time limit is over; it is then asked for what came later.
func (rt *Runtime) Logs(ctx context.Context, q faas.LogQuery) (iter.Seq2[faas.LogLine, error], error) {
	// Asked first: a gateway tells an absent function from a provider without
	// logs by the same status, and some providers have empty logs of it.
	if _, err := rt.Get(ctx, q.Name); err != nil {
		return nil, err
	}
	if q.Tail == 0 { // to a gateway that means all
		q.Tail, q.Since = -1, later(q.Since, time.Now())
	}
	t := &tail{rt: rt, q: q, from: q.Since, newest: make(map[string]time.Time)}
	body, err := t.open(ctx)
	if err != nil {
		return nil, err
	}
	return func(yield func(faas.LogLine, error) bool) { t.run(ctx, body, yield) }, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tail is one reading of a function's log.
type tail struct {
	rt     *Runtime
	q      faas.LogQuery
	from   time.Time            // the caller's Since
	newest map[string]time.Time // by instance: the time of its last line
	again  bool                 // asked more than once: the first lines may be known
}

// run ends with ctx, with the reader's wish, or when there are no more lines.
func (t *tail) run(ctx context.Context, body io.ReadCloser, yield func(faas.LogLine, error) bool) {
	for {
		wanted, err := t.pass(body, yield)
		_ = body.Close()
		if !wanted || ctx.Err() != nil {
			return
		}
		if err != nil && (!t.q.Follow || errors.Is(err, errNoLog)) {
			yield(faas.LogLine{}, fmt.Errorf("log of %s: %w", t.q.Name, err))
			return
		}
		if !t.q.Follow || !pause(ctx, t.rt.cfg.Suspect) {
			return
		}
		t.goOn()
		if body, err = t.open(ctx); err != nil {
			if ctx.Err() == nil {
				yield(faas.LogLine{}, err)
			}
			return
		}
	}
}

// goOn asks for what came after the newest line from now on.
func (t *tail) goOn() {
	t.again, t.q.Tail = true, -1
	for _, at := range t.newest {
		t.q.Since = later(t.q.Since, at)
	}
}

// pass is false if the reader wants no more. The error says why the lines ended
// before their end.
func (t *tail) pass(body io.Reader, yield func(faas.LogLine, error) bool) (wanted bool, err error) {
	for line, err := range readLines(body, t.q.Name) {
		if err != nil {
			return true, err
		}
		if !t.isNew(&line) {
			continue
		}
		if !yield(line, nil) {
			return false, nil
		}
	}
	return true, nil
}

// isNew leaves out what was asked for only because a gateway is asked by the
// second.
func (t *tail) isNew(l *faas.LogLine) bool {
	newest := t.newest[l.Instance]
	if l.At.Before(t.from) || t.again && !l.At.After(newest) {
		return false
	}
	t.newest[l.Instance] = later(newest, l.At)
	return true
}

// open asks for the lines. The wait for an answer to a log that is followed
// ends with ctx only: some gateways answer with the first line.
func (t *tail) open(ctx context.Context) (io.ReadCloser, error) {
	if err := t.rt.available(); err != nil {
		return nil, err
	}
	c := call{method: http.MethodGet, path: "/system/logs", query: logQuery(&t.q)}
	limit := t.rt.cfg.CallTimeout
	if t.q.Follow {
		limit = 0
	}
	body, err := t.rt.gateway.stream(ctx, c, limit)
	if err != nil {
		return nil, t.rt.changeFailed(ctx, "log of "+t.q.Name.String(), lacking(err))
	}
	return body, nil
}

func logQuery(q *faas.LogQuery) url.Values {
	v := url.Values{"name": {q.Name.Function}, "namespace": {q.Name.Namespace}, "follow": {strconv.FormatBool(q.Follow)}}
	if q.Instance != "" {
		v.Set("instance", q.Instance)
	}
	if q.Tail > 0 {
		v.Set("tail", strconv.Itoa(q.Tail))
	}
	if !q.Since.IsZero() {
		v.Set("since", q.Since.UTC().Format(time.RFC3339))
	}
	return v
}

// pause is false if ctx has ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
