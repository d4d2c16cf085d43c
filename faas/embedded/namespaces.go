package embedded

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
)

var _ faas.NamespaceKeeper = (*Runtime)(nil)

// Namespaces implements [faas.NamespaceKeeper].
func (rt *Runtime) Namespaces(context.Context) ([]faas.Namespace, error) {
	if rt.inPhase() != phaseRunning {
		return nil, errNotRunning()
	}
	all, err := rt.namespaces.load()
	if err != nil {
		return nil, err
	}
	there := []string{faas.DefaultNamespace}
	for _, f := range rt.functions() {
		there = append(there, f.Name.Namespace)
	}
	for _, name := range there {
		if _, created := all[name]; !created {
			all[name] = faas.Namespace{Name: name}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b faas.Namespace) int { return strings.Compare(a.Name, b.Name) }), nil
}

// Namespace implements [faas.NamespaceKeeper].
func (rt *Runtime) Namespace(ctx context.Context, name string) (faas.Namespace, error) {
	all, err := rt.Namespaces(ctx)
	if err != nil {
		return faas.Namespace{}, err
	}
	for _, n := range all {
		if n.Name == name {
			return n, nil
		}
	}
	return faas.Namespace{}, fmt.Errorf("namespace %q: %w", name, faas.ErrNotFound)
}

// CreateNamespace implements [faas.NamespaceKeeper].
func (rt *Runtime) CreateNamespace(ctx context.Context, n faas.Namespace) error {
	if err := faas.ValidateNamespace(n.Name); err != nil {
		return err
	}
	rt.change.Lock()
	defer rt.change.Unlock()
	all, err := rt.Namespaces(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(o faas.Namespace) bool { return o.Name == n.Name }) {
		return fmt.Errorf("namespace %q: %w", n.Name, faas.ErrExists)
	}
	return rt.namespaces.save(n)
}

// UpdateNamespace implements [faas.NamespaceKeeper].
func (rt *Runtime) UpdateNamespace(ctx context.Context, n faas.Namespace) error {
	rt.change.Lock()
	defer rt.change.Unlock()
	if _, err := rt.Namespace(ctx, n.Name); err != nil {
		return err
	}
	return rt.namespaces.save(n)
}

// DeleteNamespace implements [faas.NamespaceKeeper].
func (rt *Runtime) DeleteNamespace(ctx context.Context, name string) error {
	rt.change.Lock()
	defer rt.change.Unlock()
	if _, err := rt.Namespace(ctx, name); err != nil {
		return err
	}
	if name == faas.DefaultNamespace {
		return fmt.Errorf("namespace %q: %w: it is the default one, which stays", name, faas.ErrInvalid)
	}
	inside, err := rt.inside(name)
	if err != nil {
		return err
	}
	if len(inside) > 0 {
		return fmt.Errorf("namespace %q: %w: remove what is in it first: %s", name, faas.ErrInvalid, strings.Join(inside, ", "))
	}
	return rt.namespaces.remove(name)
}

// inside returns what is in a namespace, in words.
func (rt *Runtime) inside(namespace string) ([]string, error) {
	var all []string
	for _, f := range rt.functions() {
		if f.Name.Namespace == namespace {
			all = append(all, "function "+f.Name.Function)
		}
	}
	secrets, err := rt.secrets.list(namespace)
	for _, s := range secrets {
		all = append(all, "secret "+s.Name)
	}
	slices.Sort(all)
	return slices.Compact(all), err
}
