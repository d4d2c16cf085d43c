package openfaastest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a test whose failures are only noted.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.failures
	r.failures = nil
	return taken
}

// TestStrict: what a client must not do fails its test, and the rest does not.
func TestStrict(t *testing.T) {
	r := &recorder{TB: t}
	g := openfaastest.New(r, openfaastest.Options{User: "admin", Password: "secret", ScaleFromZero: true})
	g.Deploy("greet", "hello")
	const deployment = `{"service":"new","image":"echo"}`
	tests := []struct {
		name, request, body string
		change              func(*http.Request)
		status              int
		fails               bool
	}{
		{name: "list", request: "GET /system/functions", status: 200},
		{name: "deploy", request: "POST /system/functions", body: deployment, status: 202},
		{name: "update of what is absent", request: "PUT /system/functions", body: `{"service":"none","image":"echo"}`, status: 404},
		{name: "unknown image", request: "POST /system/functions", body: `{"service":"new","image":"none"}`, status: 400},
		{name: "status", request: "GET /system/function/greet?namespace=openfaas-fn&usage=false", status: 200},
		{name: "no credentials", request: "GET /system/functions", change: func(r *http.Request) { r.Header.Del("Authorization") }, status: 401, fails: true},
		{name: "wrong password", request: "GET /system/functions", change: func(r *http.Request) { r.SetBasicAuth("admin", "x") }, status: 401, fails: true},
		{name: "credentials to a function", request: "GET /function/greet", status: 200, fails: true},
		{name: "credentials to health", request: "GET /healthz", status: 200, fails: true},
		{name: "own authorization", request: "GET /function/greet", change: func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, status: 200},
		{name: "unknown field", request: "POST /system/functions", body: `{"service":"new","image":"echo","more":1}`, status: 400, fails: true},
		{name: "no JSON", request: "POST /system/functions", body: `service=new`, status: 400, fails: true},
		{name: "two values", request: "POST /system/functions", body: deployment + deployment, status: 400, fails: true},
		{name: "content type", request: "POST /system/functions", body: deployment, change: func(r *http.Request) { r.Header.Del("Content-Type") }, status: 202, fails: true},
		{name: "unknown parameter", request: "GET /system/functions?ns=x", status: 200, fails: true},
		{name: "unknown path", request: "GET /system/function", status: 404, fails: true},
		{name: "other service", request: "POST /system/scale-function/greet", body: `{"serviceName":"new","replicas":1}`, status: 202, fails: true},
		{name: "no name", request: "GET /function/", change: stranger, status: 404, fails: true},
		{name: "field twice", request: "GET /function/greet", change: func(r *http.Request) { stranger(r); r.Header["X-Call-Id"] = []string{"a", "b"} }, status: 200, fails: true},
		{name: "host", request: "GET /function/greet", change: func(r *http.Request) { stranger(r); r.Host = "caller.example" }, status: 200, fails: true},
	}
	for _, tt := range tests {
		status := ask(t, g.URL(), tt.request, tt.body, tt.change)
		failures := r.take()
		if status != tt.status || (len(failures) > 0) != tt.fails {
			t.Errorf("%s: status %d, failures %q", tt.name, status, failures)
		}
	}
}

func stranger(r *http.Request) { r.Header.Del("Authorization") }

func ask(t *testing.T, at, request, body string, change func(*http.Request)) (status int) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, at+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("admin", "secret")
	r.Header.Set("Content-Type", "application/json")
	if change != nil {
		change(r)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
