package async

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/libp2p/go-libp2p/core/peer"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestRecordSurvivesTheDisk(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) })
	header := rapid.Custom(func(t *rapid.T) (h invoke.Header) {
		for range rapid.IntRange(0, 4).Draw(t, "fields") {
			h = append(h, invoke.Field{Name: text.Draw(t, "name"), Value: text.Draw(t, "value")})
		}
		return h
	})
	moment := rapid.Custom(func(t *rapid.T) time.Time { return time.Unix(0, rapid.Int64Range(0, 1<<61).Draw(t, "time")).UTC() })
	rapid.Check(t, func(t *rapid.T) {
		r := &record{
			Call: async.Call{
				ID: text.Draw(t, "id"), Function: text.Draw(t, "function"), Method: text.Draw(t, "method"), Path: text.Draw(t, "path"),
				Query: text.Draw(t, "query"), Host: text.Draw(t, "host"), Header: header.Draw(t, "header"),
				Size: rapid.Int64().Draw(t, "size"), Callback: text.Draw(t, "callback"),
			},
			At: moment.Draw(t, "at"), Holder: peer.ID(text.Draw(t, "holder")), Keeper: peer.ID(text.Draw(t, "keeper")),
			Body:  part{Size: rapid.Int64().Draw(t, "body"), File: rapid.Bool().Draw(t, "file")},
			State: async.Dead, Attempts: rapid.Int().Draw(t, "attempts"), Next: moment.Draw(t, "next"), Ended: moment.Draw(t, "ended"),
			Code: rapid.Int().Draw(t, "code"), Problem: rapid.String().Draw(t, "problem"), Header: header.Draw(t, "answer"),
			Answered: true, Result: part{Size: 1, File: true}, Took: time.Second,
			Callback: callbackState{Due: true, Attempts: 2, Delivered: true},
		}
		b, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzDecode(f *testing.F) {
	b, _ := (&record{Call: async.Call{ID: "x", Header: invoke.Header{{Name: "A", Value: "b"}}}}).encode()
	f.Add(b)
	f.Add([]byte(`{"Fields":[[null]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decode(b)
		if err != nil {
			return
		}
		if _, err := r.encode(); err != nil && !strings.Contains(err.Error(), "year outside of range") {
			t.Fatal(err)
		}
	})
}

func TestParseRetry(t *testing.T) {
	base := DefaultRetry()
	with := func(change func(*RetryPolicy)) RetryPolicy { p := base; change(&p); return p }
	cases := []struct {
		name string
		a    map[string]string
		want RetryPolicy
		err  string
	}{
		{"none", nil, base, ""},
		{"all", map[string]string{AnnotationAttempts: "30", AnnotationCodes: "429, 500", AnnotationMinWait: "5s", AnnotationMaxWait: "1m"},
			RetryPolicy{30, []int{429, 500}, 5 * time.Second, time.Minute}, ""},
		{"no retries", map[string]string{AnnotationAttempts: "0"}, with(func(p *RetryPolicy) { p.Attempts = 1 }), ""},
		{"no codes", map[string]string{AnnotationCodes: ""}, with(func(p *RetryPolicy) { p.Codes = nil }), ""},
		{"min above max", map[string]string{AnnotationMinWait: "5m"}, with(func(p *RetryPolicy) { p.MinWait, p.MaxWait = 5*time.Minute, 5*time.Minute }), ""},
		{"negative", map[string]string{AnnotationAttempts: "-1"}, base, AnnotationAttempts},
		{"word", map[string]string{AnnotationCodes: "5xx"}, base, `"5xx" is none`},
		{"no unit", map[string]string{AnnotationMaxWait: "10"}, base, AnnotationMaxWait},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseRetry(base, c.a)
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Error(err)
			}
		})
	}
}

func TestWaitDoublesWithinBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := time.Duration(rapid.Int64Range(0, int64(maxWait)).Draw(t, "min"))
		p := RetryPolicy{MinWait: low, MaxWait: max(low, time.Duration(rapid.Int64Range(0, int64(maxWait)).Draw(t, "max")))}
		n := rapid.IntRange(1, maxAttempts).Draw(t, "attempts")
		d := p.wait(n)
		if d < p.MinWait*9/10-1 || d > p.MaxWait*11/10+1 {
			t.Fatalf("%v after %d of %+v", d, n, p)
		}
		if n <= 10 {
			want := min(p.MinWait<<(n-1), p.MaxWait)
			if d < want*9/10-1 || d > want*11/10+1 {
				t.Fatalf("%v after %d, want about %v", d, n, want)
			}
		}
	})
}

func TestJudge(t *testing.T) {
	p := RetryPolicy{Attempts: 3, Codes: []int{500}, MinWait: 10 * time.Second, MaxWait: time.Minute}
	broken := fmt.Errorf("%w: gone", errSource)
	code := func(c invoke.Code) outcome { return outcome{err: &invoke.Error{Code: c, Text: "why"}} }
	type is struct {
		State   async.State
		Counted bool
		Answer  bool
		Carried carried
	}
	cases := []struct {
		name     string
		o        outcome
		attempts int // before
		callback string
		missing  time.Duration
		want     is
	}{
		{"answered", outcome{status: 200}, 0, "", 0, is{async.Done, true, true, byFunction}},
		{"not found by the function", outcome{status: 404}, 0, "", 0, is{async.Done, true, true, byFunction}},
		{"failed", outcome{status: 500}, 1, "", 0, is{async.Queued, true, false, byFunction}},
		{"failed for the last time", outcome{status: 500}, 2, "", 0, is{async.Dead, true, true, byFunction}},
		{"another code", outcome{status: 502}, 0, "", 0, is{async.Done, true, true, byFunction}},
		{"the platform's", outcome{status: 502, header: invoke.Header{{Name: internal, Value: "proxy"}}}, 0, "", 0, is{async.Queued, true, false, byFunction}},
		{"refused", code(invoke.CodeRefused), 2, "", 0, is{async.Queued, false, false, byNobody}},
		{"expired in a queue", code(invoke.CodeExpired), 2, "", 0, is{async.Queued, false, false, byNobody}},
		{"unavailable", code(invoke.CodeUnavailable), 2, "", 0, is{async.Queued, false, false, byNobody}},
		{"deadline", code(invoke.CodeDeadline), 1, "", 0, is{async.Queued, true, false, byFunction}},
		{"unknown, the last", code(invoke.CodeUnknown), 2, "", 0, is{async.Dead, true, false, byFunction}},
		{"no code", outcome{err: errTest}, 0, "", 0, is{async.Queued, true, false, byFunction}},
		{"bad request", code(invoke.CodeBadRequest), 0, "", 0, is{async.Dead, false, false, notTried}},
		{"no function, as yet", code(invoke.CodeNoFunction), 0, "", missingPatience - 1, is{async.Queued, false, false, byNobody}},
		{"no function", code(invoke.CodeNoFunction), 0, "", missingPatience, is{async.Dead, false, false, notTried}},
		{"answer broke off", outcome{status: 200, unkept: broken}, 0, "", 0, is{async.Queued, true, false, byFunction}},
		{"no room for the answer", outcome{status: 200, unkept: ErrNoRoom}, 0, "", 0, is{async.Done, true, false, byFunction}},
		{"no room for what is to be posted", outcome{status: 200, unkept: ErrNoRoom}, 0, "http://x", 0, is{async.Queued, false, false, byFunction}},
		{"too large for what is to be posted", outcome{status: 200, unkept: errTooLarge}, 0, "http://x", 0, is{async.Dead, true, false, byFunction}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := judge(&c.o, &record{Attempts: c.attempts, Call: async.Call{Callback: c.callback}}, &p, c.missing)
			if diff := cmp.Diff(c.want, is{v.state, v.counted, v.answer, v.carried}); diff != "" {
				t.Errorf("%s %+v", diff, v)
			}
			if v.state != async.Done && v.problem == "" {
				t.Error("nobody is told why")
			}
		})
	}
	after := judge(&outcome{status: 500, header: invoke.Header{{Name: "Retry-After", Value: "45"}}}, &record{}, &p, 0)
	if after.wait != 45*time.Second {
		t.Errorf("waits %v, the function asked for 45 s", after.wait)
	}
}

// A line never has more under way than its window, always lets one start once its
// pause is over, and opens wide where all is answered.
func TestLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLine(8)
		now := time.Unix(0, 0)
		under := 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			l.ready = append(l.ready, &entry{})
			now = now.Add(time.Duration(rapid.IntRange(0, int(time.Second)).Draw(t, "pass")))
			switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
			case what == 0 && l.open(now):
				l.start()
				under++
			case under == 0:
			case what == 1:
				l.answered()
				under--
			case what == 2:
				l.refused(now, time.Duration(rapid.IntRange(0, int(time.Minute)).Draw(t, "after")))
				under--
			case what == 3:
				l.abandoned()
				under--
			}
			if l.under != under || float64(under) > max(l.window*2+1, 1) || l.window < 1 || l.window > 8 {
				t.Fatalf("%d under way, %+v", under, l)
			}
			if l.until.Sub(now) > mostPause {
				t.Fatalf("it pauses for %v", l.until.Sub(now))
			}
		}
		for ; under > 0; under-- {
			l.abandoned()
		}
		l.ready = append(l.ready, &entry{})
		if !l.open(now.Add(mostPause)) {
			t.Fatal("nothing may start, and nothing is under way")
		}
	})
	l, now := newLine(64), time.Unix(0, 0)
	for range 1000 {
		l.ready = append(l.ready, &entry{})
		for l.open(now) && len(l.ready) > 0 {
			l.start()
			l.ready = append(l.ready, &entry{})
		}
		for l.under > 0 {
			l.answered()
		}
	}
	if l.window != 64 {
		t.Errorf("the window is %v where all is answered", l.window)
	}
}

func TestStatusCodesOfErrors(t *testing.T) {
	for err, want := range map[error]int{
		&HolderError{Holder: self, Err: errTest}: 503, ErrBroken: 400, async.ErrNotFound: 404, ErrTooMany: 429,
		ErrNoRoom: 507, ErrNoCopy: 503, errDraining: 503, ErrOther: 409, async.ErrFinished: 409, ErrNotDead: 409, ErrBusy: 409,
		errors.New("?"): 500,
	} {
		if got, _, _ := statusOf(fmt.Errorf("wrapped: %w", err)); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}
