package async

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestCallRunsAndItsAnswerIsKept(t *testing.T) {
	f := &function{answer: func(_ context.Context, r *invoke.Request, body []byte) (*invoke.Answer, error) {
		if r.Priority >= 0 || r.Path != "/p" || r.Query != "q=1" || field(r.Header, "X-A") != "\xff" {
			return nil, fmt.Errorf("unexpected request %+v", r)
		}
		return said(201, strings.ToUpper(string(body)), "X-B", "\xfe"), nil
	}}
	e := open(t, Config{Invoker: f})
	for _, size := range []int{0, 1, smallBody, smallBody + 1, 3*copySize + 7} {
		body := strings.Repeat("a", size)
		s := post(t, e, async.Call{Path: "/p", Query: "q=1", Header: invoke.Header{{Name: "X-A", Value: "\xff"}}}, body)
		done := become(t, e, s.ID, async.Done)
		if done.Code != 201 || done.Attempts != 1 || field(done.ResultHeader, "X-B") != "\xfe" || done.Holder != self {
			t.Errorf("size %d: %+v", size, done)
		}
		if got := resultOf(t, e, s.ID); got != strings.ToUpper(body) {
			t.Errorf("size %d: a result of %d bytes", size, len(got))
		}
	}
}

func TestOwnIDsNameTheHolder(t *testing.T) {
	e := stopped(t, Config{})
	s := post(t, e, async.Call{}, "")
	k, ok := keyOf(s.ID)
	if !ok || fmt.Sprintf("%016x", uint64(k)) != s.ID[:16] || k != keyOfSelf() {
		t.Errorf("ID %s: key %x", s.ID, k)
	}
}

func TestTheSameIDIsTheSameCall(t *testing.T) {
	f := &function{}
	e := open(t, Config{Invoker: f})
	c := async.Call{ID: "mine"}
	var wg sync.WaitGroup
	for range 20 { // some while the first is still being stored
		wg.Go(func() {
			if _, _, err := e.Accept(t.Context(), callOf(c, "body"), strings.NewReader("body")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	become(t, e, "mine", async.Done)
	if _, known, err := e.Accept(t.Context(), callOf(c, "body"), strings.NewReader("body")); err != nil || !known {
		t.Error("after its end:", known, err)
	}
	if n := f.count("mine"); n != 1 {
		t.Errorf("it ran %d times", n)
	}
	other := callOf(c, "body")
	other.Function = "other"
	unsized := callOf(c, "")
	unsized.Size = -1
	for name, wrong := range map[string]struct {
		call async.Call
		body string
	}{
		"function": {other, "body"}, "size": {callOf(c, "longer"), "longer"}, "size in chunks": {unsized, "longer"},
	} {
		if _, _, err := e.Accept(t.Context(), wrong.call, strings.NewReader(wrong.body)); !errors.Is(err, ErrOther) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if _, _, err := e.Accept(t.Context(), unsized, strings.NewReader("body")); err != nil {
		t.Error("the same in chunks:", err)
	}
}

func TestBrokenBodyIsRefusedAndLeavesNothing(t *testing.T) {
	e := stopped(t, Config{})
	for _, size := range []int{10, 2 * smallBody} {
		c := callOf(async.Call{ID: "x"}, strings.Repeat("a", size))
		_, _, err := e.Accept(t.Context(), c, io.MultiReader(strings.NewReader(strings.Repeat("a", size-1)), failing{}))
		if !errors.Is(err, ErrBroken) {
			t.Errorf("size %d: %v", size, err)
		}
		if _, _, err = e.Accept(t.Context(), c, strings.NewReader("short")); !errors.Is(err, ErrBroken) {
			t.Errorf("size %d, too short: %v", size, err)
		}
	}
	empty(t, e)
}

// empty checks that an Engine holds nothing, in memory and on disk.
func empty(t *testing.T, e *Engine) {
	t.Helper()
	eventually(t, "nothing is left", func() error {
		s := e.Stats()
		records := 0
		_ = e.store.each(func(uint64, *record, error) { records++ })
		files := filesOf(t, e)
		for state, n := range s.Calls {
			if n != 0 {
				return fmt.Errorf("%d calls are %s", n, state)
			}
		}
		if s.Bytes != 0 || files != 0 || records != 0 {
			return fmt.Errorf("%d bytes are accounted for, %d files and %d records are left", s.Bytes, files, records)
		}
		return nil
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errTest }

// receiver is a callback's server.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []*http.Request
	body []string
	fail atomic.Int32 // how many to refuse
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.fail.Add(-1) >= 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		b, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.body = append(r.got, req), append(r.body, string(b))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

func TestCallback(t *testing.T) {
	cases := []struct {
		name   string
		answer func() (*invoke.Answer, error)
		status string
		body   string
		state  async.State
	}{
		{"answered", func() (*invoke.Answer, error) { return said(200, "out", "X-Own", "1", "Content-Type", "text/x"), nil }, "200", "out", async.Done},
		{"large", func() (*invoke.Answer, error) {
			return said(200, strings.Repeat("b", 1<<20), "X-Own", "1", "Content-Type", "text/x"), nil
		}, "200", strings.Repeat("b", 1<<20), async.Done},
		{"teapot", func() (*invoke.Answer, error) { return said(418, "no", "X-Own", "1", "Content-Type", "text/x"), nil }, "418", "no", async.Done},
		{"failed every time", func() (*invoke.Answer, error) { return said(500, "bad", "X-Own", "1", "Content-Type", "text/x"), nil }, "500", "bad", async.Dead},
		{"no answer", func() (*invoke.Answer, error) { return nil, &invoke.Error{Code: invoke.CodeFailed} }, "503", "", async.Dead},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newReceiver(t)
			r.fail.Store(2)
			f := &function{answer: func(context.Context, *invoke.Request, []byte) (*invoke.Answer, error) { return c.answer() }}
			e := open(t, Config{Invoker: f, Retry: soon(3), Callbacks: RetryPolicy{Attempts: 5, MinWait: time.Millisecond, MaxWait: time.Millisecond}})
			s := post(t, e, async.Call{Callback: r.URL + "/back", Header: invoke.Header{{Name: "X-Start-Time", Value: "7"}}}, "in")
			eventually(t, "the callback came", func() error {
				if r.count() != 1 {
					return fmt.Errorf("%d came", r.count())
				}
				return nil
			})
			h := r.got[0].Header
			got := map[string]string{}
			for _, name := range []string{"X-Call-Id", "X-Function-Name", "X-Function-Status", "X-Start-Time", "X-Own", "Content-Type"} {
				got[name] = h.Get(name)
			}
			want := map[string]string{"X-Call-Id": s.ID, "X-Function-Name": "fn", "X-Function-Status": c.status, "X-Start-Time": "7", "X-Own": "1", "Content-Type": "text/x"}
			if c.status == "503" {
				want["X-Own"], want["Content-Type"] = "", ""
			}
			if diff := cmp.Diff(want, got); diff != "" || h.Get("X-Duration-Seconds") == "" || r.got[0].URL.Path != "/back" {
				t.Errorf("%s %v", diff, h)
			}
			if r.body[0] != c.body {
				t.Errorf("a body of %d bytes", len(r.body[0]))
			}
			eventually(t, "the callback is noted", func() error {
				s := find(t, e, s.ID)
				if !s.CallbackDelivered || s.CallbackAttempts != 3 || s.State != c.state {
					return fmt.Errorf("%+v", s)
				}
				return nil
			})
		})
	}
}

func TestCallbackNobodyTakesIsADeadLetterUntilRequeued(t *testing.T) {
	r := newReceiver(t)
	r.fail.Store(2)
	f := &function{}
	e := open(t, Config{Invoker: f, Callbacks: RetryPolicy{Attempts: 2, MinWait: time.Millisecond, MaxWait: time.Millisecond}})
	s := post(t, e, async.Call{Callback: r.URL}, "in")
	dead := become(t, e, s.ID, async.Dead)
	if !strings.Contains(dead.Problem, "status 502") || !dead.Result {
		t.Errorf("%+v", dead)
	}
	if _, err := e.Requeue(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the callback came", func() error {
		if s := find(t, e, s.ID); !s.CallbackDelivered || s.State != async.Done || r.count() != 1 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	if n := f.count(s.ID); n != 1 {
		t.Errorf("the function ran %d times", n)
	}
}

func TestDeadLetterIsRequeued(t *testing.T) {
	var healthy atomic.Bool
	f := &function{answer: func(_ context.Context, _ *invoke.Request, b []byte) (*invoke.Answer, error) {
		if healthy.Load() {
			return said(200, string(b)), nil
		}
		return said(502, strings.Repeat("x", 2*smallBody)), nil
	}}
	e := open(t, Config{Invoker: f, Retry: soon(3)})
	s := post(t, e, async.Call{}, "in")
	dead := become(t, e, s.ID, async.Dead)
	if dead.Attempts != 3 || dead.Code != 502 || !strings.Contains(dead.Problem, "3 of 3 attempts") {
		t.Errorf("%+v", dead)
	}
	healthy.Store(true)
	if _, err := e.Requeue(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	become(t, e, s.ID, async.Done)
	if got := resultOf(t, e, s.ID); got != "in" {
		t.Errorf("result %q", got)
	}
	if _, err := e.Requeue(t.Context(), s.ID); !errors.Is(err, ErrNotDead) {
		t.Error("a call that is done is queued again:", err)
	}
	if n := filesOf(t, e); n != 0 {
		t.Errorf("%d files are left of the answer before", n)
	}
	if err := e.Remove(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	empty(t, e)
}

func TestRefusalsAreNoAttempts(t *testing.T) {
	var n atomic.Int32
	f := &function{answer: func(_ context.Context, _ *invoke.Request, b []byte) (*invoke.Answer, error) {
		if n.Add(1) < 6 {
			return nil, &invoke.Error{Code: invoke.CodeRefused, Text: "full"}
		}
		return said(200, string(b)), nil
	}}
	e := open(t, Config{Invoker: f, Retry: soon(1)})
	s := post(t, e, async.Call{}, "in")
	if done := become(t, e, s.ID, async.Done); done.Attempts != 1 {
		t.Errorf("%+v", done)
	}
}

func TestMissingFunctionMayAppear(t *testing.T) {
	var n atomic.Int32
	f := &function{answer: func(_ context.Context, _ *invoke.Request, b []byte) (*invoke.Answer, error) {
		if n.Add(1) == 1 {
			return nil, &invoke.Error{Code: invoke.CodeNoFunction, Text: "no function fn"}
		}
		return said(200, string(b)), nil
	}}
	e := open(t, Config{Invoker: f, Retry: soon(1)})
	s := post(t, e, async.Call{}, "in")
	if done := become(t, e, s.ID, async.Done); done.Attempts != 1 || done.Problem != "" {
		t.Errorf("%+v", done)
	}
}

func TestCancel(t *testing.T) {
	started := make(chan struct{}, 1)
	f := &function{answer: func(ctx context.Context, r *invoke.Request, _ []byte) (*invoke.Answer, error) {
		if r.Function == "quick" {
			return said(200, ""), nil
		}
		started <- struct{}{}
		<-ctx.Done()
		return nil, &invoke.Error{Code: invoke.CodeCancelled, Err: context.Cause(ctx)}
	}}
	dir := t.TempDir()
	e := open(t, Config{Dir: dir, Invoker: f, Room: func(string) bool { return false }}) // one at a time
	first := post(t, e, async.Call{Function: "slow"}, "")
	<-started
	second := post(t, e, async.Call{Function: "slow"}, "")
	done := post(t, e, async.Call{Function: "quick"}, "")
	become(t, e, first.ID, async.Running)
	become(t, e, done.ID, async.Done)
	for _, id := range []string{second.ID, first.ID} {
		if s, err := e.Cancel(t.Context(), id); err != nil || s.State != async.Cancelled {
			t.Fatal(s.State, err)
		}
		if _, err := e.Cancel(t.Context(), id); !errors.Is(err, async.ErrFinished) {
			t.Error("cancelled twice:", err)
		}
	}
	if s, err := e.Cancel(t.Context(), done.ID); !errors.Is(err, async.ErrFinished) || s.State != async.Done {
		t.Error("a call that is done is cancelled:", s.State, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, Config{Dir: dir, Invoker: f})
	for _, id := range []string{first.ID, second.ID} {
		if s := find(t, again, id); s.State != async.Cancelled {
			t.Errorf("after a restart it is %s", s.State)
		}
	}
	if f.count(second.ID) != 0 {
		t.Error("a call that was cancelled while it waited has run")
	}
}

func TestCloseLeavesWhatRunsToTheNextStart(t *testing.T) {
	started := make(chan struct{}, 1)
	stuck := &function{answer: func(ctx context.Context, _ *invoke.Request, _ []byte) (*invoke.Answer, error) {
		started <- struct{}{}
		<-ctx.Done()
		return nil, &invoke.Error{Code: invoke.CodeCancelled, Err: context.Cause(ctx)}
	}}
	dir := t.TempDir()
	e := open(t, Config{Dir: dir, Invoker: stuck})
	large := strings.Repeat("a", 5*smallBody)
	s := post(t, e, async.Call{ID: "mine"}, large)
	<-started
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, Config{Dir: dir})
	become(t, again, s.ID, async.Done)
	if got := resultOf(t, again, s.ID); got != large {
		t.Errorf("a result of %d bytes", len(got))
	}
}

func TestQuiesceStartsNothing(t *testing.T) {
	f := &function{}
	e := open(t, Config{Invoker: f})
	e.Quiesce()
	s := post(t, e, async.Call{}, "")
	time.Sleep(50 * time.Millisecond)
	if find(t, e, s.ID).State != async.Queued || f.count(s.ID) != 0 {
		t.Error("it was started")
	}
}

func TestEndedCallsAreForgottenInTime(t *testing.T) {
	e := open(t, Config{Keep: time.Millisecond, Retry: soon(1), Invoker: &function{answer: func(_ context.Context, r *invoke.Request, _ []byte) (*invoke.Answer, error) {
		return said(map[string]int{"good": 200, "bad": 500}[r.Function], strings.Repeat("r", 2*smallBody)), nil
	}}})
	good := post(t, e, async.Call{Function: "good"}, "x")
	bad := post(t, e, async.Call{Function: "bad"}, "x")
	eventually(t, "it is forgotten", func() error {
		if _, _, err := e.local(t.Context(), good.ID, false); !errors.Is(err, async.ErrNotFound) {
			return fmt.Errorf("%v", err)
		}
		return nil
	})
	become(t, e, bad.ID, async.Dead) // stays
	eventually(t, "the dead letter's file alone is left", func() error {
		if n := filesOf(t, e); n != 1 {
			return fmt.Errorf("%d files", n)
		}
		return nil
	})
}

func TestManyCallsShareTheDisk(t *testing.T) {
	f := &function{}
	var commits atomic.Int32
	e := open(t, Config{Invoker: f, fault: func(op string) error {
		if op == "commit" {
			commits.Add(1)
		}
		return nil
	}})
	const n = 300
	var wg sync.WaitGroup
	ids := make([]string, n)
	for i := range n {
		wg.Go(func() { ids[i] = post(t, e, async.Call{}, fmt.Sprint(i)).ID })
	}
	wg.Wait()
	for i, id := range ids {
		become(t, e, id, async.Done)
		if f.count(id) != 1 || resultOf(t, e, id) != fmt.Sprint(i) {
			t.Errorf("call %d ran %d times", i, f.count(id))
		}
	}
	if c := commits.Load(); c > n {
		t.Errorf("%d commits for %d calls, each stored and settled", c, n)
	}
}

func TestTooManyCalls(t *testing.T) {
	e := stopped(t, Config{Calls: 3})
	for range 3 {
		post(t, e, async.Call{}, "")
	}
	_, _, err := e.Accept(t.Context(), callOf(async.Call{}, ""), bytes.NewReader(nil))
	if !errors.Is(err, ErrTooMany) || !strings.Contains(err.Error(), "3 wait or run") {
		t.Error(err)
	}
}
