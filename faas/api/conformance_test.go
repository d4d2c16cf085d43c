package api_test

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/faas/faastest"
	"github.com/p2pfaas/p2pfaas/faas/openfaas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
)

// patience is how long a test waits for what ought to happen soon.
const patience = 30 * time.Second

// subject is a Runtime under the API.
type subject struct {
	name string
	new  func(t *testing.T) faas.Runtime
	// echo and say are images; say writes the body to its log.
	echo, say string
	// speak has the function "talk", deployed with say, write a line.
	speak func(t *testing.T, rt faas.Runtime, text string)
	usage bool // it tells what functions use
}

func subjects() []subject {
	return []subject{
		{"fake", func(*testing.T) faas.Runtime { return new(faastest.Fake) }, "echo", "echo", speakByQuery, false},
		{"openfaas", behindGateway, "echo", "say", speak, true},
		{"embedded", inside, "builtin:echo", "exec:" + sayScript, speak, true},
	}
}

func behindGateway(t *testing.T) faas.Runtime {
	t.Helper()
	g := openfaastest.New(t, openfaastest.Options{User: "admin", Password: "pw", ScaleFromZero: true, LogTime: 500 * time.Millisecond})
	place, err := openfaas.Locate(strings.Replace(g.URL(), "http://", "http://admin:pw@", 1), "")
	if err != nil {
		t.Fatal(err)
	}
	rt, err := openfaas.New(openfaas.Default(place))
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return rt
}

var talk = faas.Name{Function: "talk", Namespace: faas.DefaultNamespace}

func speak(t *testing.T, rt faas.Runtime, text string) {
	t.Helper()
	invoke(t, rt, &faas.Request{Name: talk, Method: "POST", Body: strings.NewReader(text), Size: int64(len(text))})
}

func speakByQuery(t *testing.T, rt faas.Runtime, text string) {
	t.Helper()
	invoke(t, rt, &faas.Request{Name: talk, Method: "GET", Query: url.Values{"say": {text}}.Encode()})
}

func invoke(t *testing.T, rt faas.Runtime, r *faas.Request) {
	t.Helper()
	resp, err := rt.Invoke(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.Status != 200 {
		t.Fatalf("status %d, %v", resp.Status, err)
	}
}

// served is a subject's API over HTTP.
type served struct {
	*server
	subject
	runtime faas.Runtime
	api     *api.API
}

// conforms runs a test over each Runtime.
func conforms(t *testing.T, test func(t *testing.T, s *served)) {
	for _, sub := range subjects() {
		t.Run(sub.name, func(t *testing.T) {
			s := &served{server: &server{t: t}, subject: sub, runtime: sub.new(t)}
			t.Cleanup(func() {
				if err := s.runtime.Close(); err != nil {
					t.Error(err)
				}
			})
			// Wrapped, as a node does.
			s.api = api.New(wrapped{s.runtime}, api.Options{Version: "1.2.3", Commit: "abc"})
			h := httptest.NewServer(s.api)
			t.Cleanup(h.Close)
			s.url = h.URL
			test(t, s)
		})
	}
}

// wrapped hides what a Runtime offers besides, but for Unwrap.
type wrapped struct{ faas.Runtime }

func (w wrapped) Unwrap() faas.Runtime { return w.Runtime }

// row is one exchange: what is sent, and what comes back.
type row struct {
	request string // method and path
	body    string
	status  int
	want    string // the answer contains it; with a leading "=" it is that
}

func (s *served) rows(t *testing.T, rows []row) {
	for _, r := range rows {
		method, path, _ := strings.Cut(r.request, " ")
		body := strings.NewReplacer("$ECHO", s.echo, "$SAY", s.say).Replace(r.body)
		want := strings.NewReplacer("$ECHO", s.echo).Replace(r.want)
		status, got, header := s.call(method, path, body)
		exact, isExact := strings.CutPrefix(want, "=")
		if status != r.status || isExact && got != exact || !isExact && !strings.Contains(got, want) {
			t.Errorf("%s %s: %d %q, want %d and %q", r.request, body, status, got, r.status, r.want)
		}
		kind := header.Get("Content-Type")
		switch {
		case status >= 400 && (strings.Count(got, "\n") != 1 || !strings.HasPrefix(kind, "text/plain")):
			t.Errorf("%s: error is not one line of text: %q, %s", r.request, got, kind)
		case method == "GET" && status == 200 && got != "" && path != "/ui/" && kind != "application/json":
			t.Errorf("%s: content type %q", r.request, kind)
		case status == 202 && got != "":
			t.Errorf("%s: 202 with body %q", r.request, got)
		}
	}
}

// TestConformance is the contract's table of endpoints, over each Runtime. Each
// row sees what those before it did.
func TestConformance(t *testing.T) {
	for name, rows := range map[string][]row{
		"platform":   platformRows,
		"functions":  functionRows,
		"secrets":    secretRows,
		"namespaces": namespaceRows,
		"alerts":     alertRows,
	} {
		t.Run(name, func(t *testing.T) {
			conforms(t, func(t *testing.T, s *served) { s.rows(t, rows) })
		})
	}
}

// TestUsage: told to who asks for it, in thousandths of a core.
func TestUsage(t *testing.T) {
	conforms(t, func(t *testing.T, s *served) {
		s.rows(t, []row{{"POST /system/functions", `{"service":"talk","image":"$ECHO"}`, 202, "="}})
		invoke(t, s.runtime, &faas.Request{Name: talk, Method: "GET"})
		for _, path := range []string{"/system/function/talk", "/system/function/talk?usage=false", "/system/functions"} {
			if _, body, _ := s.call("GET", path, ""); strings.Contains(body, `"usage"`) {
				t.Errorf("%s: %s", path, body)
			}
		}
		if !s.usage {
			return
		}
		until(t, "its memory is told", func() bool {
			status, body, _ := s.call("GET", "/system/function/talk?usage=1", "")
			var got types.FunctionStatus
			if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
				t.Fatalf("%d %q, %v", status, body, err)
			}
			return got.Usage != nil && got.Usage.TotalMemoryBytes > 1<<16
		})
	})
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen in %v: %s", patience, what)
		}
	}
}
