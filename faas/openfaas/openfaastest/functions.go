package openfaastest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas/embedded/builtin"
)

// defaultNamespace is OpenFaaS's own.
const defaultNamespace = "openfaas-fn"

type name struct{ function, namespace string }

// function is a deployment.
type function struct {
	deployment types.FunctionDeployment
	handler    http.Handler
	created    time.Time
	replicas   uint64
	calls      atomic.Uint64
	journal    *journal
}

// handler makes what an image stands for, nil if it stands for nothing.
func (g *Gateway) handler(image string) http.Handler {
	if own := g.options.Images[image]; own != nil {
		return own()
	}
	if image == "redirect" {
		return http.RedirectHandler("https://elsewhere.example/?from=function", http.StatusFound)
	}
	h, err := builtin.Handler(image)
	if err != nil {
		return nil
	}
	return h
}

// Deploy makes or replaces a function of the default namespace, as somebody
// else than the client under test.
func (g *Gateway) Deploy(function, image string) {
	g.t.Helper()
	if !g.deploy(types.FunctionDeployment{Service: function, Namespace: defaultNamespace, Image: image}) {
		g.t.Fatalf("fake gateway: no image %q", image)
	}
}

// Remove ends a function of the default namespace, as somebody else.
func (g *Gateway) Remove(function string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.functions, name{function, defaultNamespace})
}

// Calls counts the invocations of a function of the default namespace.
func (g *Gateway) Calls(function string) int {
	if f := g.find(name{function, defaultNamespace}); f != nil {
		return int(f.calls.Load())
	}
	return 0
}

// deploy is false if there is no such image.
func (g *Gateway) deploy(d types.FunctionDeployment) bool {
	f := &function{deployment: d, handler: g.handler(d.Image), created: time.Now().UTC(), replicas: 1, journal: newJournal()}
	if d.Image == "say" {
		f.handler = http.HandlerFunc(f.say)
	}
	if f.handler == nil {
		return false
	}
	n := name{d.Service, d.Namespace}
	g.mu.Lock()
	defer g.mu.Unlock()
	if old := g.functions[n]; old != nil {
		f.created = old.created
		f.calls.Store(old.calls.Load())
		f.journal = old.journal
	}
	g.functions[n] = f
	return true
}

func (g *Gateway) find(n name) *function {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.functions[n]
}

// wake gives a function without replicas one.
func (g *Gateway) wake(f *function) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f.replicas = max(f.replicas, 1)
}

func (g *Gateway) asleep(f *function) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f.replicas == 0
}

// statuses lists a namespace. Only the list has the counts, which the gateway
// gets from Prometheus.
func (g *Gateway) statuses(namespace string) []types.FunctionStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	list := []types.FunctionStatus{}
	for n, f := range g.functions {
		if n.namespace == namespace {
			s := f.status()
			s.InvocationCount = float64(f.calls.Load())
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b types.FunctionStatus) int { return strings.Compare(b.Name, a.Name) }) // no order is promised
	return list
}

func (f *function) status() types.FunctionStatus {
	d := &f.deployment
	return types.FunctionStatus{
		Name: d.Service, Image: d.Image, Namespace: d.Namespace, EnvProcess: d.EnvProcess, EnvVars: maps.Clone(d.EnvVars),
		Constraints: d.Constraints, Secrets: d.Secrets, Labels: d.Labels, Annotations: d.Annotations,
		Limits: d.Limits, Requests: d.Requests, ReadOnlyRootFilesystem: d.ReadOnlyRootFilesystem,
		Replicas: f.replicas, AvailableReplicas: f.replicas, CreatedAt: f.created,
	}
}
