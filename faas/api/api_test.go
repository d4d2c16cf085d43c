package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
)

type server struct {
	*memory
	t   *testing.T
	url string
}

func serve(t *testing.T, o api.Options) *server {
	t.Helper()
	s := &server{memory: newMemory(), t: t}
	h := httptest.NewServer(api.New(s.memory, o))
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

// call makes one request; headers are name, value, name, value…
func (s *server) call(method, path, body string, headers ...string) (int, string, http.Header) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Body.Close()
	got, err := io.ReadAll(a.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return a.StatusCode, string(got), a.Header
}

// TestContract is a conversation: each row sees what those before it did.
func TestContract(t *testing.T) {
	s := serve(t, api.Options{})
	for _, row := range []struct {
		name, method, path, body string
		status                   int
		want                     string // the answer contains it
	}{
		{"empty list", "GET", "/system/functions", "", 200, "[]\n"},
		{"empty namespaces", "GET", "/system/namespaces", "", 200, `["openfaas-fn"]`},
		{"put absent", "PUT", "/system/functions", `{"service":"echo","image":"i"}`, 404, "function echo: not found"},
		{"post", "POST", "/system/functions", `{"service":"echo","image":"i:1"}`, 202, ""},
		{"post again replaces", "POST", "/system/functions", `{"service":"echo","image":"i:2","future":{"a":1}}`, 202, ""},
		{"put", "PUT", "/system/functions", `{"service":"echo","image":"i:3"}`, 202, ""},
		{"get", "GET", "/system/function/echo", "", 200, `"image":"i:3"`},
		{"get, usage asked for", "GET", "/system/function/echo?namespace=&usage=1", "", 200, `"image":"i:3"`},
		{"get, default namespace named", "GET", "/system/function/echo.openfaas-fn", "", 200, `"name":"echo"`},
		{"get, no slots used: omitted", "GET", "/system/function/echo", "", 200, `"replicas":1,"createdAt"`},
		{"head", "HEAD", "/system/function/echo", "", 200, ""},
		{"get absent", "GET", "/system/function/none", "", 404, "function none: not found"},
		{"get elsewhere", "GET", "/system/function/echo?namespace=edge", "", 404, "echo.edge"},
		{"get bad name", "GET", "/system/function/Echo", "", 400, `"Echo"`},

		{"namespace in the body", "POST", "/system/functions", `{"service":"one","image":"i","namespace":"edge"}`, 202, ""},
		{"namespace in the query", "POST", "/system/functions?namespace=edge", `{"service":"two","image":"i"}`, 202, ""},
		{"namespace in both: body", "POST", "/system/functions?namespace=old", `{"service":"three","image":"i","namespace":"edge"}`, 202, ""},
		{"default list has not these", "GET", "/system/functions", "", 200, `[{"name":"echo"`},
		{"namespaces", "GET", "/system/namespaces", "", 200, `["edge","openfaas-fn"]`},
		{"get by query", "GET", "/system/function/two?namespace=edge", "", 200, `"namespace":"edge"`},
		{"get by dot", "GET", "/system/function/three.edge", "", 200, `"name":"three"`},

		{"scale", "POST", "/system/scale-function/echo", `{"serviceName":"echo","replicas":4}`, 202, ""},
		{"scaled", "GET", "/system/function/echo", "", 200, `"replicas":4`},
		{"scale to zero", "POST", "/system/scale-function/echo", `{"serviceName":"echo","replicas":0}`, 202, ""},
		{"zero is omitted", "GET", "/system/function/echo", "", 200, `"image":"i:3","namespace":"openfaas-fn","createdAt"`},
		{"scale by query", "POST", "/system/scale-function/one?namespace=edge", `{"replicas":2}`, 202, ""},
		{"scale in the body", "POST", "/system/scale-function/one", `{"replicas":2,"namespace":"edge"}`, 202, ""},
		{"scale absent", "POST", "/system/scale-function/none", `{"replicas":2}`, 404, "none"},
		{"scale without number", "POST", "/system/scale-function/echo", `{"serviceName":"echo"}`, 400, "replicas is missing"},
		{"scale below zero", "POST", "/system/scale-function/echo", `{"replicas":-1}`, 400, "replicas"},
		{"scale too far", "POST", "/system/scale-function/echo", `{"replicas":4294967296}`, 400, "at most 2147483647"},
		{"scale another", "POST", "/system/scale-function/echo", `{"serviceName":"two","replicas":1}`, 400, `"two"`},

		{"delete in the body", "DELETE", "/system/functions", `{"functionName":"one","namespace":"edge"}`, 202, ""},
		{"delete by query", "DELETE", "/system/functions?namespace=edge", `{"functionName":"two"}`, 202, ""},
		{"delete again", "DELETE", "/system/functions?namespace=edge", `{"functionName":"two"}`, 404, "two.edge"},
		{"delete nothing", "DELETE", "/system/functions", `{}`, 400, "functionName is missing"},
		{"delete without body", "DELETE", "/system/functions", "", 400, "want a JSON object"},

		{"no body", "POST", "/system/functions", "", 400, "want a JSON object"},
		{"null", "POST", "/system/functions", " null ", 400, "want a JSON object"},
		{"list", "POST", "/system/functions", "[]", 400, "want a JSON object"},
		{"cut JSON", "POST", "/system/functions", `{"service":"x"`, 400, "unexpected end of JSON"},
		{"two values", "POST", "/system/functions", `{"service":"x","image":"i"}{}`, 400, "invalid character"},
		{"wrong type", "POST", "/system/functions", `{"service":"x","image":7}`, 400, "field image: want string, got number"},
		{"no name", "POST", "/system/functions", `{"image":"i"}`, 400, "service (the function's name) is missing"},
		{"no image", "POST", "/system/functions", `{"service":"x"}`, 400, "neither image nor envProcess"},
		{"bad name", "POST", "/system/functions", `{"service":"a.b","image":"i"}`, 400, `"a.b"`},
		{"bad namespace", "POST", "/system/functions", `{"service":"a","image":"i","namespace":"../x"}`, 400, `"../x"`},
		{"too large", "POST", "/system/functions", `{"service":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "larger than 2097152 bytes"},

		{"wrong method", "PATCH", "/system/functions", "", 405, "PATCH /system/functions: method not allowed; use DELETE, GET, HEAD, POST, PUT"},
		{"no such path", "GET", "/system/nothing", "", 404, "/system/nothing: nothing is served here"},
		{"health", "GET", "/healthz", "", 200, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, body, _ := s.call(row.method, row.path, row.body)
			if status != row.status || !strings.Contains(body, row.want) {
				t.Errorf("%d %q, want %d and %q", status, body, row.status, row.want)
			}
			if status >= 400 && strings.Count(body, "\n") != 1 {
				t.Errorf("error is not one line: %q", body)
			}
		})
	}
}

// TestWithoutKeepers: a Runtime that keeps neither secrets nor logs nor
// namespaces.
func TestWithoutKeepers(t *testing.T) {
	s := serve(t, api.Options{})
	for request, want := range map[string]string{
		"GET /system/secrets":           "secrets: not supported",
		"POST /system/secrets":          "secrets: not supported",
		"PUT /system/secrets":           "secrets: not supported",
		"DELETE /system/secrets":        "secrets: not supported",
		"GET /system/logs?name=echo":    "logs of functions: not supported",
		"GET /system/namespace/edge":    "namespaces: not supported",
		"POST /system/namespace/":       "namespaces: not supported",
		"PUT /system/namespace/edge":    "namespaces: not supported",
		"DELETE /system/namespace/edge": "namespaces: not supported",
	} {
		method, path, _ := strings.Cut(request, " ")
		status, body, _ := s.call(method, path, `{"name":"edge"}`)
		if status != 501 || !strings.Contains(body, want) || strings.Count(body, "\n") != 1 {
			t.Errorf("%s: %d %q, want 501 and one line with %q", request, status, body, want)
		}
	}
}

// TestUnserved: what is not served is told as every other error is.
func TestUnserved(t *testing.T) {
	s := serve(t, api.Options{})
	for _, row := range []struct {
		request, allow string
		status         int
	}{
		{"GET /async-function/echo", "", 404},
		{"GET /nothing", "", 404},
		{"POST /healthz", "GET, HEAD", 405},
		{"POST /system/telemetry", "GET, HEAD", 405},
		{"GET /system/alert", "POST", 405},
		{"PUT /system/scale-function/echo", "POST", 405},
		{"PATCH /system/namespace/edge", "DELETE, GET, HEAD, POST, PUT", 405},
		{"POST /system/logs?name=echo", "GET, HEAD", 405},
	} {
		method, path, _ := strings.Cut(row.request, " ")
		status, body, h := s.call(method, path, "", "Accept", "application/json")
		if status != row.status || h.Get("Allow") != row.allow || !strings.HasPrefix(body, `{"code":`) {
			t.Errorf("%s: %d %q, Allow %q, want %d and %q", row.request, status, body, h.Get("Allow"), row.status, row.allow)
		}
	}
}

func TestRuntimeErrors(t *testing.T) {
	for _, row := range []struct {
		err      error
		status   int
		want     string
		internal bool
	}{
		{fmt.Errorf("namespace: %w", faas.ErrUnsupported), 501, "not supported", false},
		{fmt.Errorf("memory 5xx: %w: not a quantity", faas.ErrInvalid), 400, "not a quantity", false},
		{fmt.Errorf("gateway: %w", faas.ErrUnavailable), 503, "runtime unavailable", true},
		{errors.New("disk /secret/path is full"), 500, "the function runtime failed", false},
	} {
		s := serve(t, api.Options{})
		s.breaks(row.err)
		for _, c := range [][3]string{
			{"GET", "/system/functions"},
			{"GET", "/system/function/x"},
			{"GET", "/system/info"},
			{"GET", "/system/namespaces"},
			{"GET", "/healthz"},
			{"POST", "/system/functions", `{"service":"x","image":"i"}`},
			{"PUT", "/system/functions", `{"service":"x","image":"i"}`},
			{"DELETE", "/system/functions", `{"functionName":"x"}`},
			{"POST", "/system/scale-function/x", `{"replicas":1}`},
		} {
			status, body, h := s.call(c[0], c[1], c[2])
			if status != row.status || !strings.Contains(body, row.want) || strings.Contains(body, "/secret/path") {
				t.Errorf("%v: %s %s: %d %q, want %d and %q", row.err, c[0], c[1], status, body, row.status, row.want)
			}
			if got := h.Get(api.InternalHeader) != ""; got != row.internal {
				t.Errorf("%v: %s %s: %s set %v, want %v", row.err, c[0], c[1], api.InternalHeader, got, row.internal)
			}
		}
	}
}

func TestInfo(t *testing.T) {
	o := api.Options{Version: "1.2.0", Commit: "abc", P2pfaas: func() any { return map[string]int{"peers": 3} }}
	s := serve(t, o)
	_, body, h := s.call("GET", "/system/info", "")
	var got struct {
		Provider types.ProviderInfo
		Version  types.VersionInfo
		Arch     string
		P2pfaas  map[string]int
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	if got.Arch == "" || h.Get("Content-Type") != "application/json" {
		t.Errorf("arch %q, content type %q", got.Arch, h.Get("Content-Type"))
	}
	got.Arch = ""
	want := got
	want.Provider = types.ProviderInfo{Name: "p2pfaas", Version: &types.VersionInfo{Release: "7"}, Orchestration: "memory"}
	want.Version = types.VersionInfo{Release: "1.2.0", SHA: "abc"}
	want.P2pfaas = map[string]int{"peers": 3}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, body, _ = serve(t, api.Options{}).call("GET", "/system/info", ""); strings.Contains(body, `"p2pfaas":{`) {
		t.Errorf("object of nobody: %q", body)
	}
}

// TestEcho deploys as faas-cli does and reads back all that was sent.
func TestEcho(t *testing.T) {
	s := serve(t, api.Options{})
	const deployment = `{"service":"all","image":"r/i:1","namespace":"edge","envProcess":"cat -","envVars":{"A":"1","B":""},` +
		`"constraints":["node=pi"],"secrets":["k"],"labels":{},"annotations":{"topic":"t"},` +
		`"limits":{"memory":"64Mi","cpu":"100m","nvidia.com/gpu":"1"},"requests":{},"readOnlyRootFilesystem":true}`
	if status, body, _ := s.call("POST", "/system/functions", deployment); status != 202 {
		t.Fatalf("%d %s", status, body)
	}
	_, body, _ := s.call("GET", "/system/function/all?namespace=edge", "")
	var sent, got map[string]any
	for raw, into := range map[string]*map[string]any{deployment: &sent, body: &got} {
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			t.Fatal(err)
		}
	}
	sent["name"] = sent["service"]
	delete(sent, "service")
	sent["replicas"], sent["createdAt"] = 1.0, "1970-01-01T00:16:40Z"
	if d := cmp.Diff(sent, got); d != "" {
		t.Error(d)
	}
}
