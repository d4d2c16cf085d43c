package faastest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// fakeGrace is how long Remove waits for calls under way.
const fakeGrace = 10 * time.Second

// Fake is a Runtime in memory whose functions echo after a service time. The
// zero value is ready. It starts a goroutine only for a request body, which
// ends with that body or with the answer's Close.
type Fake struct {
	// Service is the service time of functions that have none of their own.
	Service time.Duration
	// ColdStart is what the first invocation after a scale to zero waits longer.
	ColdStart time.Duration

	mu        sync.Mutex // guards what follows
	functions map[faas.Name]*fakeFunction
	service   map[faas.Name]time.Duration
	hook      Hook
	closed    bool
	keep      fakeKeep
}

// Hook decides what becomes of an invocation. It may run concurrently.
type Hook func(r *faas.Request) Action

// Action changes one invocation; the zero value changes nothing.
type Action struct {
	// Fail is what Invoke returns once the service time has passed. If it wraps
	// [faas.ErrNotStarted] it is returned at once, and nothing is counted.
	Fail error
	// Slow is added to the service time.
	Slow time.Duration
	// Cut ends the answer with io.ErrUnexpectedEOF after CutAfter bytes.
	Cut      bool
	CutAfter int64
	// Status replaces 200.
	Status int
}

var _ faas.Runtime = (*Fake)(nil)

// SetService sets the service time of one function, deployed or not.
func (f *Fake) SetService(n faas.Name, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.service == nil {
		f.service = make(map[faas.Name]time.Duration)
	}
	f.service[n] = d
}

// SetHook makes h decide from now on; nil for none.
func (f *Fake) SetHook(h Hook) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = h
}

// Counters returns what a function ran, zero if it is not deployed.
func (f *Fake) Counters(n faas.Name) Counters {
	f.mu.Lock()
	fn := f.functions[n]
	f.mu.Unlock()
	if fn == nil {
		return Counters{}
	}
	return fn.read()
}

// Info implements [faas.Runtime].
func (f *Fake) Info(context.Context) (faas.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return faas.Info{Name: "fake", Version: "1"}, f.open()
}

// open is called with mu held.
func (f *Fake) open() error {
	if f.closed {
		return fmt.Errorf("fake runtime is closed: %w", faas.ErrUnavailable)
	}
	return nil
}

// List implements [faas.Runtime].
func (f *Fake) List(_ context.Context, namespace string) ([]faas.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []faas.Status{}
	for n, fn := range f.functions {
		if namespace == "" || n.Namespace == namespace {
			list = append(list, fn.status())
		}
	}
	slices.SortFunc(list, func(a, b faas.Status) int { return strings.Compare(a.Name.String(), b.Name.String()) })
	return list, f.open()
}

// Get implements [faas.Runtime].
func (f *Fake) Get(_ context.Context, n faas.Name) (faas.Status, error) {
	fn, err := f.find(n)
	if err != nil {
		return faas.Status{}, err
	}
	return fn.status(), nil
}

func (f *Fake) find(n faas.Name) (*fakeFunction, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.open(); err != nil {
		return nil, err
	}
	if fn := f.functions[n]; fn != nil {
		return fn, nil
	}
	return nil, fmt.Errorf("function %s: %w", n, faas.ErrNotFound)
}

// Deploy implements [faas.Runtime].
func (f *Fake) Deploy(_ context.Context, fn faas.Function) error {
	if err := fn.Name.Validate(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.open(); err != nil {
		return err
	}
	if err := f.keep.has(fn); err != nil {
		return err
	}
	if f.functions == nil {
		f.functions = make(map[faas.Name]*fakeFunction)
	}
	if old := f.functions[fn.Name]; old != nil {
		old.replace(fn)
		return nil
	}
	f.functions[fn.Name] = newFakeFunction(fn)
	return nil
}

// Remove implements [faas.Runtime].
func (f *Fake) Remove(ctx context.Context, n faas.Name) error {
	fn, err := f.find(n)
	if err != nil {
		return err
	}
	f.mu.Lock()
	delete(f.functions, n)
	f.mu.Unlock()
	fn.drain(ctx)
	return nil
}

// Scale implements [faas.Runtime].
func (f *Fake) Scale(_ context.Context, n faas.Name, replicas int) error {
	if replicas < 0 {
		return fmt.Errorf("scale to %d replicas: %w", replicas, faas.ErrInvalid)
	}
	fn, err := f.find(n)
	if err != nil {
		return err
	}
	fn.scale(replicas)
	return nil
}

// Close ends the calls that wait for their service time. It is idempotent.
func (f *Fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, fn := range f.functions {
		fn.stop(errFakeClosed)
	}
	return nil
}

var errFakeClosed = errors.New("fake runtime was closed")
