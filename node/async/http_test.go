package async

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// web serves an Engine over HTTP as a node does.
func web(t *testing.T, e *Engine) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	a := NewAPI(e)
	a.Routes(mux, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, _, ok := r.BasicAuth(); !ok {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, Prefix) {
			a.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.Client().CloseIdleConnections)
	return s
}

func ask(t *testing.T, s *httptest.Server, method, path string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if strings.HasPrefix(path, "/system/") {
		req.SetBasicAuth("u", "p")
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestHTTP(t *testing.T) {
	hold := make(chan struct{})
	f := &function{answer: func(ctx context.Context, r *invoke.Request, b []byte) (*invoke.Answer, error) {
		select {
		case <-hold:
		case <-ctx.Done():
		}
		if r.Path != "/a%2Fb//c" || r.Query != "q=1&r" || r.Deadline != 2*time.Second || r.TraceParent != "tp" ||
			field(r.Header, "X-Own") != "1" || field(r.Header, "X-Callback-Url") != "" || field(r.Header, "X-Timeout") != "" {
			return nil, &invoke.Error{Code: invoke.CodeBadRequest, Text: fmt.Sprintf("%+v", r)}
		}
		return said(203, string(b), "Content-Type", "text/own"), nil
	}}
	e := open(t, Config{Invoker: f})
	s := web(t, e)
	resp, body := ask(t, s, "POST", "/async-function/fn.ns/a%2Fb//c?q=1&r", strings.NewReader("in"),
		"X-Own", "1", "X-Timeout", "2s", "Traceparent", "tp", "X-Callback-Url", "http://user:secret@127.0.0.1:1/")
	id := resp.Header.Get("X-Call-Id")
	if resp.StatusCode != 202 || body != "" || resp.Header.Get("X-Start-Time") == "" || resp.Header.Get("Location") != "/call/"+id || len(id) != 32 {
		t.Fatal(resp.StatusCode, body, resp.Header)
	}
	become(t, e, id, async.Running)
	resp, body = ask(t, s, "GET", "/call/"+id, nil)
	var got shown
	if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" {
		t.Fatal(err, resp.StatusCode, body)
	}
	if got.ID != id || got.Function != "fn.ns" || got.State != async.Running || got.Holder != self.String() || got.Callback == nil || strings.Contains(body, "secret") || time.Since(got.Accepted) > patience {
		t.Error(body)
	}
	if resp, body = ask(t, s, "GET", "/call/"+id+"/result", nil); resp.StatusCode != 202 || !strings.Contains(body, `"state":"running"`) || resp.Header.Get("Retry-After") == "" {
		t.Error(resp.StatusCode, body)
	}
	close(hold)
	become(t, e, id, async.Done)
	resp, body = ask(t, s, "GET", "/call/"+id+"/result", nil)
	want := []any{203, "in", "text/own", id, "203", "fn.ns"}
	h := resp.Header
	if diff := cmp.Diff(want, []any{resp.StatusCode, body, h.Get("Content-Type"), h.Get("X-Call-Id"), h.Get("X-Function-Status"), h.Get("X-Function-Name")}); diff != "" {
		t.Error(diff)
	}
	if resp, body = ask(t, s, "DELETE", "/call/"+id, nil); resp.StatusCode != 409 || !strings.Contains(body, "done") {
		t.Error(resp.StatusCode, body)
	}
	resp, body = ask(t, s, "GET", "/system/async?state=done", nil)
	var list listing
	if err := json.Unmarshal([]byte(body), &list); err != nil || resp.StatusCode != 200 || len(list.Calls) != 1 || list.Counts["done"] != 1 || list.Calls[0].ID != id {
		t.Error(err, resp.StatusCode, body)
	}
	if _, body = ask(t, s, "GET", "/system/async?state=dead", nil); !strings.Contains(body, `"calls":[]`) {
		t.Error(body)
	}
}

func TestHTTPRefusals(t *testing.T) {
	e := stopped(t, Config{Calls: 1})
	s := web(t, e)
	cases := []struct {
		name, method, path, body string
		header                   []string
		status                   int
		want                     string
	}{
		{"another method", "GET", "/async-function/fn", "", nil, 405, "POST"},
		{"no function name", "POST", "/async-function/", "", nil, 400, ""},
		{"callback without host", "POST", "/async-function/fn", "", []string{"X-Callback-Url", "http://"}, 400, "X-Callback-Url"},
		{"callback of another scheme", "POST", "/async-function/fn", "", []string{"X-Callback-Url", "ftp://h/"}, 400, "ftp://h/"},
		{"relative callback", "POST", "/async-function/fn", "", []string{"X-Callback-Url", "/back"}, 400, "X-Callback-Url"},
		{"call ID too long", "POST", "/async-function/fn", "", []string{"X-Call-Id", strings.Repeat("i", 129)}, 400, "X-Call-Id"},
		{"call ID that is a folder", "POST", "/async-function/fn", "", []string{"X-Call-Id", ".."}, 400, "X-Call-Id"},
		{"deadline", "POST", "/async-function/fn", "", []string{"X-Timeout", "soon"}, 400, "X-Timeout"},
		{"unknown call", "GET", "/call/none", "", nil, 404, "call not found"},
		{"result of an unknown call", "GET", "/call/none/result", "", nil, 404, ""},
		{"cancel an unknown call", "DELETE", "/call/none", "", nil, 404, ""},
		{"cancel an unknown call as OpenFaaS does", "DELETE", "/async-function/none", "", nil, 404, ""},
		{"wrong state", "GET", "/system/async?state=odd", "", nil, 400, "dead"},
		{"wrong limit", "GET", "/system/async?limit=0", "", nil, 400, "limit"},
		{"requeue an unknown call", "POST", "/system/async/none/requeue", "", nil, 404, ""},
		{"accepted, chosen ID with a slash", "POST", "/async-function/fn", "", []string{"X-Call-Id", "a/b c"}, 202, ""},
		{"the same again", "POST", "/async-function/fn", "", []string{"X-Call-Id", "a/b c"}, 202, ""},
		{"the same for another function", "POST", "/async-function/gn", "", []string{"X-Call-Id", "a/b c"}, 409, "fn"},
		{"it can be asked for", "GET", "/call/a%2Fb%20c", "", nil, 200, `"id":"a/b c"`},
		{"too many", "POST", "/async-function/fn", "", nil, 429, "async-calls"},
		{"requeue what waits", "POST", "/system/async/a%2Fb%20c/requeue", "", nil, 409, "queued"},
		{"cancel", "DELETE", "/async-function/a%2Fb%20c", "", nil, 202, `"state":"cancelled"`},
		{"a cancelled call has no result", "GET", "/call/a%2Fb%20c/result", "", nil, 410, "cancelled"},
		{"remove", "DELETE", "/system/async/a%2Fb%20c", "", nil, 204, ""},
		{"it is gone", "GET", "/call/a%2Fb%20c", "", nil, 404, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			resp, body := ask(t, s, c.method, c.path, strings.NewReader(c.body), c.header...)
			if resp.StatusCode != c.status || !strings.Contains(body, c.want) {
				t.Errorf("status %d: %s", resp.StatusCode, body)
			}
		})
	}
	req := httptest.NewRequest("GET", "/system/async", nil)
	w := httptest.NewRecorder()
	s.Config.Handler.ServeHTTP(w, req)
	if w.Code != 401 {
		t.Error("the listing is for everybody:", w.Code)
	}
}

func TestDrainingNodeTakesInnerCallsOnly(t *testing.T) {
	e := open(t, Config{})
	e.Quiesce()
	s := web(t, e)
	if resp, body := ask(t, s, "POST", "/async-function/fn", nil); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Error(resp.StatusCode, body)
	}
	if resp, body := ask(t, s, "POST", "/async-function/fn", bytes.NewReader(nil), "X-P2pfaas-Parent", "x"); resp.StatusCode != 202 {
		t.Error(resp.StatusCode, body)
	}
}
