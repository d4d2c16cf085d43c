package api_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// memory is a Runtime that keeps deployments and runs nothing.
type memory struct {
	mu   sync.Mutex // guards all below
	has  map[faas.Name]faas.Status
	fail error // what each call returns, if set
}

func newMemory() *memory { return &memory{has: make(map[faas.Name]faas.Status)} }

func (m *memory) breaks(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

func (m *memory) Info(context.Context) (faas.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return faas.Info{Name: "memory", Version: "7"}, m.fail
}

func (m *memory) List(_ context.Context, namespace string) ([]faas.Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []faas.Status{}
	for name, s := range m.has {
		if namespace == "" || name.Namespace == namespace {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b faas.Status) int { return cmp.Compare(a.Name.String(), b.Name.String()) })
	return out, m.fail
}

func (m *memory) Get(_ context.Context, name faas.Name) (faas.Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return faas.Status{}, m.fail
	}
	s, ok := m.has[name]
	if !ok {
		return s, fmt.Errorf("function %s: %w", name, faas.ErrNotFound)
	}
	return s, nil
}

func (m *memory) Deploy(_ context.Context, f faas.Function) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.has[f.Name] = faas.Status{Function: f, Replicas: 1, CreatedAt: time.Unix(1000, 0).UTC()}
	return nil
}

func (m *memory) Remove(ctx context.Context, name faas.Name) error {
	if _, err := m.Get(ctx, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.has, name)
	return nil
}

func (m *memory) Scale(ctx context.Context, name faas.Name, replicas int) error {
	s, err := m.Get(ctx, name)
	if err != nil {
		return err
	}
	s.Replicas = replicas
	m.mu.Lock()
	defer m.mu.Unlock()
	m.has[name] = s
	return nil
}

func (m *memory) Invoke(context.Context, *faas.Request) (*faas.Response, error) {
	return nil, faas.ErrUnsupported
}

func (m *memory) Close() error { return nil }
