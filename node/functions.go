package node

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/node/async"
	"github.com/p2pfaas/p2pfaas/node/mesh"
)

// function is a deployment on this node, as dispatch needs it: what it would
// otherwise parse or ask the runtime for on every invocation.
type function struct {
	name       faas.Name
	id         string // name[.namespace]
	print      faas.Fingerprint
	deadline   time.Duration // default, 0 for none
	weight     float64       // annotated, or until it has been measured
	demand     *demand       // measures it; nil with the annotation
	idempotent bool
	keepsHome  bool // its bodies do not leave this node
	runsOnly   bool // runs others' invocations, sends none of its own away
	asyncRetry async.RetryPolicy
	warm       bool
	cold       time.Duration
	service    *serviceTimes
}

// functions is what is deployed here: read without a lock on every
// invocation, replaced whole after each change.
type functions struct {
	runtime faas.Runtime
	weight  float64 // of one whose annotations say nothing
	seeks   bool    // the runtime may have functions that it does not list
	current atomic.Pointer[map[string]*function]
	reloads sync.Mutex // one reload at a time
}

func newFunctions(rt faas.Runtime) *functions {
	f := &functions{runtime: rt, weight: 1}
	f.current.Store(&map[string]*function{})
	return f
}

// get returns nil if the function is not deployed here.
func (f *functions) get(id string) *function { return (*f.current.Load())[id] }

// reload reads the deployments anew. What has been measured of a function
// outlives its redeployment as long as it is the same function.
func (f *functions) reload(ctx context.Context) error {
	f.reloads.Lock()
	defer f.reloads.Unlock()
	list, err := f.runtime.List(ctx, "")
	if err != nil {
		return fmt.Errorf("list functions: %w", err)
	}
	old := *f.current.Load()
	next := make(map[string]*function, len(list))
	for i := range list {
		fn := newFunction(&list[i], f.weight)
		if was := old[fn.id]; was != nil && was.print == fn.print {
			fn.service = was.service
			if fn.demand != nil && was.demand != nil {
				fn.demand = was.demand
			}
		}
		next[fn.id] = fn
	}
	f.current.Store(&next)
	return nil
}

func newFunction(s *faas.Status, weight float64) *function {
	fn := &function{
		name: s.Name, id: s.Name.String(), print: s.Fingerprint(),
		weight: weight, warm: s.AvailableReplicas > 0, cold: s.ColdStart, service: new(serviceTimes), demand: newDemand(),
	}
	a := s.Annotations
	fn.idempotent = a[faas.AnnotationIdempotent] == "true"
	fn.keepsHome = a[faas.AnnotationMesh] == "off"
	fn.runsOnly = a[faas.AnnotationMesh] == "run-only"
	fn.asyncRetry, _ = async.ParseRetry(async.DefaultRetry(), a) // refused when it was deployed here
	if d, err := time.ParseDuration(a[faas.AnnotationDeadline]); err == nil && d > 0 {
		fn.deadline = d
	}
	if w, err := strconv.ParseFloat(a[faas.AnnotationWeight], 64); err == nil && w >= minWeight && w <= maxWeight {
		fn.weight, fn.demand = w, nil
	}
	return fn
}

// weighs is the share of a server that a new invocation takes.
func (fn *function) weighs() float64 {
	if fn.demand == nil {
		return fn.weight
	}
	w, ok := fn.demand.weight()
	if !ok {
		w = fn.weight
	}
	return max(min(w, minWeight), w*brevity(fn.service.mean())) // as light as nothing, it could not be bounded
}

// Bounds of a weight, annotated or measured.
const (
	minWeight = 0.02
	maxWeight = 64
)

// brief is a service time that is not worth a line: what is shorter spends as much
// of it on the way from one process to the next as at work, and the processors'
// own turns are longer than it.
const brief = time.Millisecond

// brevity is by how much less something weighs that is over in less than brief.
// It is held in check by itself: with more of them at once each takes longer.
func brevity(service time.Duration) float64 {
	const least = 0.05
	if service <= 0 || service >= brief {
		return 1
	}
	return max(least, float64(service)/float64(brief))
}

// checkAnnotations refuses a deployment whose annotations this node would
// otherwise ignore without a word.
func checkAnnotations(f *faas.Function) error {
	a := f.Annotations
	if s, ok := a[faas.AnnotationDeadline]; ok {
		if d, err := time.ParseDuration(s); err != nil || d <= 0 {
			return fmt.Errorf("annotation %s=%q: %w: want a duration above 0 such as 250ms", faas.AnnotationDeadline, s, faas.ErrInvalid)
		}
	}
	if s, ok := a[faas.AnnotationWeight]; ok {
		if w, err := strconv.ParseFloat(s, 64); err != nil || w < minWeight || w > maxWeight {
			return fmt.Errorf("annotation %s=%q: %w: want a number from %v to %v, the share of a server that one invocation takes", faas.AnnotationWeight, s, faas.ErrInvalid, minWeight, maxWeight)
		}
	}
	if s, ok := a[faas.AnnotationMesh]; ok && !slices.Contains([]string{"on", "off", "run-only"}, s) {
		return fmt.Errorf("annotation %s=%q: %w: want on, off or run-only", faas.AnnotationMesh, s, faas.ErrInvalid)
	}
	if _, err := async.ParseRetry(async.DefaultRetry(), a); err != nil {
		return fmt.Errorf("%w: %w", faas.ErrInvalid, err)
	}
	return nil
}

// names lists what is deployed here, sorted.
func (f *functions) names() []string {
	current := *f.current.Load()
	names := make([]string, 0, len(current))
	for id := range current {
		names = append(names, id)
	}
	slices.Sort(names)
	return names
}

// offered is what other nodes are told of.
func (f *functions) offered() []mesh.Function {
	current := *f.current.Load()
	list := make([]mesh.Function, 0, len(current))
	for _, fn := range current {
		list = append(list, mesh.Function{
			Name: fn.name.Function, Namespace: fn.name.Namespace, Fingerprint: fn.print,
			Warm: fn.warm, Cold: fn.cold, Service: fn.service.get(), KeptHome: fn.keepsHome, Idempotent: fn.idempotent,
		})
	}
	return list
}
