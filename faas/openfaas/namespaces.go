package openfaas

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Namespaces implements [faas.NamespaceKeeper]. Labels and annotations are left
// out: the gateway tells them of one namespace at a time.
func (rt *Runtime) Namespaces(ctx context.Context) ([]faas.Namespace, error) {
	var names []string
	if err := rt.manage(ctx, "list namespaces", get("/system/namespaces", &names)); err != nil {
		return nil, lacking(err)
	}
	slices.Sort(names)
	list := make([]faas.Namespace, 0, len(names))
	for _, name := range slices.Compact(names) {
		list = append(list, faas.Namespace{Name: name})
	}
	return list, nil
}

// Namespace implements [faas.NamespaceKeeper]. A gateway that lists namespaces
// need not have this endpoint.
func (rt *Runtime) Namespace(ctx context.Context, name string) (faas.Namespace, error) {
	if err := faas.ValidateNamespace(name); err != nil {
		return faas.Namespace{}, err
	}
	var answer types.FunctionNamespace
	err := rt.manage(ctx, "namespace "+name, get(namespacePath(name), &answer))
	if err == nil {
		return faas.Namespace{Name: cmp.Or(answer.Name, name), Labels: answer.Labels, Annotations: answer.Annotations}, nil
	}
	if !errors.Is(err, faas.ErrNotFound) && !errors.Is(err, faas.ErrUnsupported) {
		return faas.Namespace{}, err
	}
	return rt.listedNamespace(ctx, name)
}

func (rt *Runtime) listedNamespace(ctx context.Context, name string) (faas.Namespace, error) {
	all, err := rt.Namespaces(ctx)
	if err != nil {
		return faas.Namespace{}, err
	}
	if i := slices.IndexFunc(all, func(n faas.Namespace) bool { return n.Name == name }); i >= 0 {
		return all[i], nil
	}
	return faas.Namespace{}, fmt.Errorf("namespace %s: %w", name, faas.ErrNotFound)
}

func namespacePath(name string) string { return "/system/namespace/" + name }

// CreateNamespace implements [faas.NamespaceKeeper].
func (rt *Runtime) CreateNamespace(ctx context.Context, n faas.Namespace) error {
	_, err := rt.Namespace(ctx, n.Name)
	switch {
	case err == nil:
		return fmt.Errorf("namespace %s: %w", n.Name, faas.ErrExists)
	case !errors.Is(err, faas.ErrNotFound):
		return err
	}
	// A 404 now is that of an endpoint that is not there.
	return lacking(rt.changeNamespace(ctx, http.MethodPost, "", n))
}

// UpdateNamespace implements [faas.NamespaceKeeper].
func (rt *Runtime) UpdateNamespace(ctx context.Context, n faas.Namespace) error {
	return rt.changeNamespace(ctx, http.MethodPut, n.Name, n)
}

// DeleteNamespace implements [faas.NamespaceKeeper].
func (rt *Runtime) DeleteNamespace(ctx context.Context, name string) error {
	if name == faas.DefaultNamespace {
		return fmt.Errorf("namespace %s: %w: it is the default one, which stays", name, faas.ErrInvalid)
	}
	return rt.changeNamespace(ctx, http.MethodDelete, name, faas.Namespace{Name: name})
}

// changeNamespace marks the namespace as OpenFaaS's own clients do: a gateway
// keeps its hands off those without the mark.
func (rt *Runtime) changeNamespace(ctx context.Context, method, at string, n faas.Namespace) error {
	if err := faas.ValidateNamespace(n.Name); err != nil {
		return err
	}
	body := types.FunctionNamespace{Name: n.Name, Labels: marked(n.Labels), Annotations: marked(n.Annotations)}
	return rt.manage(ctx, "namespace "+n.Name, call{method: method, path: namespacePath(at), body: body})
}

func marked(m map[string]string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = make(map[string]string, 1)
	}
	m["openfaas"] = "1"
	return m
}
