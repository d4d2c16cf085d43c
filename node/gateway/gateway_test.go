package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// invoker answers as a test says.
type invoker func(ctx context.Context, r *invoke.Request, o Options) (*invoke.Answer, error)

func (i invoker) Invoke(ctx context.Context, r *invoke.Request, o Options) (*invoke.Answer, error) {
	return i(ctx, r, o)
}

func serve(t *testing.T, i invoker) string {
	t.Helper()
	s := httptest.NewServer(New(i, "self", "test/1"))
	t.Cleanup(s.Close)
	return s.URL
}

func answer(status int, body string) *invoke.Answer {
	return &invoke.Answer{Status: status, Size: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
}

func do(t *testing.T, method, url, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestRequestBecomesAnInvocation(t *testing.T) {
	var got invoke.Request
	var body string
	url := serve(t, func(_ context.Context, r *invoke.Request, _ Options) (*invoke.Answer, error) {
		got = *r
		b, _ := io.ReadAll(r.Body)
		body = string(b)
		return answer(200, ""), nil
	})
	do(t, "POST", url+"/function/fn.ns/a%2Fb/c?x=1&y=%20", "hello",
		"X-Call-Id", "mine", "X-P2pfaas-Deadline", "250ms", "Idempotency-Key", "k",
		"X-Two", "one", "X-Two", "two", "Connection", "X-Hop", "X-Hop", "drop me",
		"X-P2pfaas-Parent", "outer;hops=1", "Traceparent", "00-1-2-3")
	want := invoke.Request{
		CallID: "mine", Function: "fn.ns", Method: "POST", Path: "/a%2Fb/c", Query: "x=1&y=%20", Size: 5,
		Deadline: 250 * time.Millisecond, MayRepeat: true, Parent: "outer;hops=1", TraceParent: "00-1-2-3",
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool {
		switch p.Last().String() {
		case ".Host", ".Header", ".Body", ".Trailer":
			return true
		}
		return false
	}, cmp.Ignore())
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("invocation (-want +got):\n%s", diff)
	}
	if body != "hello" {
		t.Errorf("body %q", body)
	}
	values := map[string][]string{}
	for _, f := range got.Header {
		values[f.Name] = append(values[f.Name], f.Value)
	}
	if !cmp.Equal(values["X-Two"], []string{"one", "two"}) {
		t.Errorf("X-Two arrived as %v", values["X-Two"])
	}
	for _, gone := range []string{"X-Hop", "Connection", "X-Call-Id", "X-P2pfaas-Deadline", "X-P2pfaas-Parent"} {
		if values[gone] != nil {
			t.Errorf("%s must not reach the function as the client sent it", gone)
		}
	}
	for _, there := range []string{"X-Start-Time", "X-Forwarded-For", "X-Forwarded-Host"} {
		if values[there] == nil {
			t.Errorf("%s is missing", there)
		}
	}
}

func TestMayRepeatByMethod(t *testing.T) {
	for method, want := range map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "PUT": true, "DELETE": true, "POST": false, "PATCH": false} {
		var got bool
		url := serve(t, func(_ context.Context, r *invoke.Request, _ Options) (*invoke.Answer, error) {
			got = r.MayRepeat
			return answer(200, ""), nil
		})
		if do(t, method, url+"/function/fn", ""); got != want {
			t.Errorf("%s: may repeat = %v, want %v", method, got, want)
		}
	}
}

func TestBadRequestsAreRefusedBeforeAnything(t *testing.T) {
	url := serve(t, func(context.Context, *invoke.Request, Options) (*invoke.Answer, error) {
		t.Error("it was invoked")
		return answer(200, ""), nil
	})
	for _, c := range []struct {
		name, path string
		header     []string
		status     int
	}{
		{"name with capitals", "/function/Fn", nil, 400},
		{"no name", "/function/", nil, 400},
		{"deadline", "/function/fn", []string{"X-P2pfaas-Deadline", "-1s"}, 400},
		{"timeout", "/function/fn", []string{"X-Timeout", "x"}, 400},
		{"long call ID", "/function/fn", []string{"X-Call-Id", strings.Repeat("x", 200)}, 400},
		{"came back to this node", "/function/fn", []string{"Via", Via("self")}, 508},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := do(t, "POST", url+c.path, "", c.header...)
			if text, _ := io.ReadAll(resp.Body); resp.StatusCode != c.status || len(text) == 0 {
				t.Errorf("status %d %q, want %d and a reason", resp.StatusCode, text, c.status)
			}
		})
	}
}

func TestErrorsBecomeStatuses(t *testing.T) {
	for _, c := range []struct {
		code    invoke.Code
		status  int
		outcome string
		retry   bool
	}{
		{invoke.CodeRefused, 429, "not-started", true},
		{invoke.CodeDraining, 503, "not-started", true},
		{invoke.CodeUnavailable, 503, "not-started", true},
		{invoke.CodeNoFunction, 404, "not-started", false},
		{invoke.CodeWrongVersion, 409, "not-started", false},
		{invoke.CodeExpired, 504, "not-started", false},
		{invoke.CodeDeadline, 504, "failed", false},
		{invoke.CodeLoop, 508, "not-started", false},
		{invoke.CodeDenied, 403, "not-started", false},
		{invoke.CodeUnknown, 502, "unknown", false},
		{invoke.CodeShutdown, 502, "unknown", false},
		{invoke.CodeFailed, 502, "failed", false},
	} {
		t.Run(c.code.String(), func(t *testing.T) {
			url := serve(t, func(context.Context, *invoke.Request, Options) (*invoke.Answer, error) {
				return nil, &invoke.Error{Code: c.code, Text: "what happened", RetryAfter: 1500 * time.Millisecond}
			})
			resp := do(t, "POST", url+"/function/fn", "")
			text, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.status || !strings.Contains(string(text), "what happened") {
				t.Errorf("status %d %q, want %d and the text", resp.StatusCode, text, c.status)
			}
			if got := resp.Header.Get("X-P2pfaas-Outcome"); got != c.outcome {
				t.Errorf("outcome %q, want %q", got, c.outcome)
			}
			if got := resp.Header.Get("Retry-After"); c.retry && got != "2" {
				t.Errorf("Retry-After %q, want whole seconds, rounded up: 2", got)
			}
		})
	}
}

func TestAnswerTellsItsPath(t *testing.T) {
	url := serve(t, func(context.Context, *invoke.Request, Options) (*invoke.Answer, error) {
		a := answer(201, "made")
		a.Header = invoke.Header{{Name: "X-Two", Value: "one"}, {Name: "X-Two", Value: "two"}}
		a.Hops = []invoke.Hop{
			{Peer: "a", Total: 12300 * time.Microsecond, Policy: "spread", Reason: uint8(sched.ReasonThereSooner), Attempts: 2},
			{Peer: "b", Total: 11 * time.Millisecond, Queue: 2 * time.Millisecond, Service: 9 * time.Millisecond, Reason: uint8(sched.ReasonFreeServer)},
		}
		return a, nil
	})
	resp := do(t, "GET", url+"/function/fn", "")
	if resp.StatusCode != 201 || !cmp.Equal(resp.Header["X-Two"], []string{"one", "two"}) {
		t.Errorf("status %d, X-Two %v", resp.StatusCode, resp.Header["X-Two"])
	}
	path := resp.Header.Get("X-P2pfaas-Path")
	first, second, _ := strings.Cut(path, ", ")
	if !strings.HasSuffix(first, ";total=12.3;policy=spread;reason=there-sooner;attempts=2") || !strings.HasSuffix(second, ";total=11;queue=2;service=9;reason=free-server") {
		t.Errorf("path %q", path)
	}
	for name, want := range map[string]string{"X-P2pfaas-Hops": "1", "X-Served-By": "test/1"} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestBodyOfUnknownSizeIsSentAsItComes(t *testing.T) {
	body, function := io.Pipe()
	url := serve(t, func(context.Context, *invoke.Request, Options) (*invoke.Answer, error) {
		return &invoke.Answer{Status: 200, Size: -1, Body: body, Trailer: func() invoke.Header {
			return invoke.Header{{Name: "X-Sum", Value: "42"}}
		}}, nil
	})
	resp := do(t, "GET", url+"/function/fn", "") // the header must not wait for the body
	lines := bufio.NewReader(resp.Body)
	for i := range 3 {
		fmt.Fprintf(function, "event %d\n", i)
		if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("event %d\n", i) {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	function.Close()
	if _, err := lines.ReadByte(); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	if got := resp.Trailer.Get("X-Sum"); got != "42" {
		t.Errorf("trailer %q", got)
	}
}

func TestCutAnswerIsNoCleanEnd(t *testing.T) {
	for _, size := range []int64{-1, 100} {
		url := serve(t, func(context.Context, *invoke.Request, Options) (*invoke.Answer, error) {
			broken := io.MultiReader(strings.NewReader("half"), iotestErr{errors.New("function died")})
			return &invoke.Answer{Status: 200, Size: size, Body: io.NopCloser(broken)}, nil
		})
		resp := do(t, "GET", url+"/function/fn", "")
		if got, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("size %d: read %q and a clean end", size, got)
		}
	}
}

type iotestErr struct{ err error }

func (e iotestErr) Read([]byte) (int, error) { return 0, e.err }

func TestHeadKeepsTheLength(t *testing.T) {
	url := serve(t, func(context.Context, *invoke.Request, Options) (*invoke.Answer, error) {
		return &invoke.Answer{Status: 200, Size: 1234, NoBody: true, Body: http.NoBody}, nil
	})
	if resp := do(t, "HEAD", url+"/function/fn", ""); resp.ContentLength != 1234 {
		t.Errorf("Content-Length %d, want 1234", resp.ContentLength)
	}
}

func TestCallerGoesAway(t *testing.T) {
	gone := make(chan struct{})
	url := serve(t, func(ctx context.Context, r *invoke.Request, _ Options) (*invoke.Answer, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-ctx.Done()
		close(gone)
		return nil, &invoke.Error{Code: invoke.CodeCancelled}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", url+"/function/fn", strings.NewReader("x"))
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Error("the request was answered")
	}
	select {
	case <-gone:
	case <-time.After(30 * time.Second):
		t.Error("the invocation does not know that its caller has gone")
	}
}

// half is a connection of a pipe that can be half closed.
type half struct{ net.Conn }

func (h half) CloseWrite() error { return h.Close() }

func TestUpgradeBecomesRawBytes(t *testing.T) {
	near, far := net.Pipe()
	url := serve(t, func(_ context.Context, r *invoke.Request, _ Options) (*invoke.Answer, error) {
		if r.Upgrade != "echo" {
			t.Errorf("upgrade %q", r.Upgrade)
		}
		return &invoke.Answer{Status: 101, Header: invoke.Header{{Name: "X-From", Value: "function"}}, Conn: half{near}}, nil
	})
	go func() { _, _ = io.Copy(far, far) }() // ends when near is closed
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /function/fn HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "echo" || resp.Header.Get("X-From") != "function" {
		t.Fatalf("answer %+v, %v", resp, err)
	}
	fmt.Fprint(conn, "raw\n")
	if line, err := r.ReadString('\n'); line != "raw\n" || err != nil {
		t.Errorf("got %q, %v", line, err)
	}
}
