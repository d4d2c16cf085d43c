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
		{name: "secret", request: "POST /system/secrets", body: `{"name":"token","value":"x"}`, status: 202},
		{name: "secret again", request: "POST /system/secrets", body: `{"name":"token","value":"y"}`, status: 409},
		{name: "secret with two values", request: "PUT /system/secrets", body: `{"name":"token","value":"x","rawValue":"AA=="}`, status: 202, fails: true},
		{name: "secret without value", request: "PUT /system/secrets", body: `{"name":"token"}`, status: 202, fails: true},
		{name: "secrets", request: "GET /system/secrets?namespace=openfaas-fn", status: 200},
		{name: "removal that gives a secret away", request: "DELETE /system/secrets", body: `{"name":"token","value":"x"}`, status: 202, fails: true},
		{name: "removal of an absent secret", request: "DELETE /system/secrets", body: `{"name":"token"}`, status: 404},
		{name: "absent secret", request: "POST /system/functions", body: `{"service":"new","image":"echo","secrets":["none"]}`, status: 400},
		{name: "namespace", request: "POST /system/namespace/", body: `{"name":"edge","labels":{"openfaas":"1"},"annotations":{"openfaas":"1"}}`, status: 202},
		{name: "namespace again", request: "POST /system/namespace/", body: `{"name":"edge","labels":{"openfaas":"1"},"annotations":{"openfaas":"1"}}`, status: 409},
		{name: "namespace without mark", request: "POST /system/namespace/", body: `{"name":"bare"}`, status: 202, fails: true},
		{name: "namespace by name", request: "GET /system/namespace/edge", status: 200},
		{name: "absent namespace", request: "GET /system/namespace/none", status: 404},
		{name: "namespace by another's path", request: "DELETE /system/namespace/bare", body: `{"name":"edge","labels":{"openfaas":"1"}}`, status: 202, fails: true},
		{name: "logs", request: "GET /system/logs?name=greet&namespace=openfaas-fn&tail=5&since=2020-01-01T00:00:00Z&follow=0", status: 200},
		{name: "logs of what is absent", request: "GET /system/logs?name=none", status: 501},
		{name: "logs since when", request: "GET /system/logs?name=greet&since=yesterday", status: 500, fails: true},
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
