package faastest

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// fakeLog is what a function of a Fake wrote, guarded by the function's mu.
type fakeLog struct {
	lines []faas.LogLine
	grown chan struct{} // closed, and made anew, with a line; nil: nobody asked
}

// Write adds a line to a function's log, as from the instance of that name.
func (f *Fake) Write(n faas.Name, instance, text string) error {
	fn, err := f.find(n)
	if err != nil {
		return err
	}
	fn.write(faas.LogLine{Name: n, Instance: instance, At: time.Now(), Text: text})
	return nil
}

func (f *fakeFunction) write(l faas.LogLine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log.lines = append(f.log.lines, l)
	if f.log.grown != nil {
		close(f.log.grown)
		f.log.grown = nil
	}
}

// Logs implements [faas.Logger]. A call with ?say=TEXT writes that line.
func (f *Fake) Logs(ctx context.Context, q faas.LogQuery) (iter.Seq2[faas.LogLine, error], error) {
	fn, err := f.find(q.Name)
	if err != nil {
		return nil, err
	}
	return func(yield func(faas.LogLine, error) bool) { fn.follow(ctx, q, yield) }, nil
}

func (f *fakeFunction) follow(ctx context.Context, q faas.LogQuery, yield func(faas.LogLine, error) bool) {
	lines, next, grown := f.since(0)
	lines = selected(lines, q)
	if q.Tail >= 0 {
		lines = lines[max(0, len(lines)-q.Tail):]
	}
	for {
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
		if !q.Follow {
			return
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return
		case <-f.ctx.Done():
			return
		}
		lines, next, grown = f.since(next)
		lines = selected(lines, q)
	}
}

// since returns the lines from a place on, the place behind them, and what is
// closed when there are more.
func (f *fakeFunction) since(from int) (lines []faas.LogLine, next int, grown <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.log.grown == nil {
		f.log.grown = make(chan struct{})
	}
	return f.log.lines[from:], len(f.log.lines), f.log.grown
}

func selected(lines []faas.LogLine, q faas.LogQuery) []faas.LogLine {
	var some []faas.LogLine
	for _, l := range lines {
		if (q.Instance == "" || q.Instance == l.Instance) && !l.At.Before(q.Since) {
			some = append(some, l)
		}
	}
	return some
}

// say writes the line that a request asks for by ?say=TEXT.
func (f *fakeFunction) say(r *faas.Request) {
	q, _ := url.ParseQuery(r.Query)
	if text := q.Get("say"); text != "" {
		f.write(faas.LogLine{Name: r.Name, Instance: "fake-1", At: time.Now(), Text: text})
	}
}
