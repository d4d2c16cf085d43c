package sim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Function is a function as Deploy deploys it. It echoes.
type Function struct {
	Name       string
	Service    time.Duration // how long an invocation takes
	Idempotent bool
}

// Answer is what an HTTP client gets.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	Took   time.Duration // virtual
}

// Hops is how many times the call was passed on, -1 if the answer does not say.
func (a *Answer) Hops() int {
	n, err := strconv.Atoi(a.Header.Get("X-P2pfaas-Hops"))
	if err != nil {
		return -1
	}
	return n
}

// Peer is the ID of the node that ran the function.
func (a *Answer) Peer() string { return a.Header.Get("X-P2pfaas-Peer") }

// Deploy deploys functions at node i, over its HTTP routes.
func (m *Mesh) Deploy(i int, functions ...Function) {
	m.t.Helper()
	for _, f := range functions {
		name := faas.Name{Function: f.Name, Namespace: faas.DefaultNamespace}
		m.Runtime(i).SetService(name, f.Service)
		body, err := json.Marshal(map[string]any{
			"service": f.Name, "image": "fake",
			"annotations": map[string]string{faas.AnnotationIdempotent: strconv.FormatBool(f.Idempotent)},
		})
		if err != nil {
			m.t.Fatal(err)
		}
		if a := m.Do(i, httptest.NewRequest(http.MethodPost, "/system/functions", strings.NewReader(string(body)))); a.Status/100 != 2 {
			m.t.Fatalf("deploy %s at node %d: %d %s", f.Name, i, a.Status, a.Body)
		}
		m.members[i].functions = append(m.members[i].functions, name.String())
	}
}

// Call calls a function through node i.
func (m *Mesh) Call(i int, function, body string) *Answer {
	return m.Do(i, httptest.NewRequest(http.MethodPost, "/function/"+function, strings.NewReader(body)))
}

// Do has node i serve an HTTP request.
func (m *Mesh) Do(i int, r *http.Request) *Answer {
	began := time.Now()
	w := httptest.NewRecorder()
	m.members[i].Handler().ServeHTTP(w, r)
	return &Answer{Status: w.Code, Header: w.Header(), Body: w.Body.String(), Took: time.Since(began)}
}
