package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
)

func (a *API) namespaceKeeper() (faas.NamespaceKeeper, error) {
	return offered[faas.NamespaceKeeper](a.runtime, "namespaces")
}

func (a *API) listNamespaces(w http.ResponseWriter, r *http.Request) {
	names, err := a.keptNamespaces(r.Context())
	if errors.Is(err, faas.ErrUnsupported) {
		names, err = a.usedNamespaces(r.Context())
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, names)
}

func (a *API) keptNamespaces(ctx context.Context) ([]string, error) {
	keeper, err := a.namespaceKeeper()
	if err != nil {
		return nil, err
	}
	found, err := keeper.Namespaces(ctx)
	names := make([]string, 0, len(found)) // [] rather than null
	for i := range found {
		names = append(names, found[i].Name)
	}
	return names, err
}

// usedNamespaces are those that functions are in, and the default one.
func (a *API) usedNamespaces(ctx context.Context) ([]string, error) {
	found, err := a.runtime.List(ctx, "")
	names := []string{faas.DefaultNamespace}
	for i := range found {
		names = append(names, found[i].Name.Namespace)
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

func (a *API) getNamespace(w http.ResponseWriter, r *http.Request) {
	keeper, err := a.namespaceKeeper()
	if err == nil {
		err = faas.ValidateNamespace(r.PathValue("name"))
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	n, err := keeper.Namespace(r.Context(), r.PathValue("name"))
	if err != nil {
		fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, types.FunctionNamespace{Name: n.Name, Labels: n.Labels, Annotations: n.Annotations})
}

func (a *API) createNamespace(w http.ResponseWriter, r *http.Request) {
	a.changeNamespace(w, r, faas.NamespaceKeeper.CreateNamespace)
}

func (a *API) updateNamespace(w http.ResponseWriter, r *http.Request) {
	a.changeNamespace(w, r, faas.NamespaceKeeper.UpdateNamespace)
}

func (a *API) deleteNamespace(w http.ResponseWriter, r *http.Request) {
	a.changeNamespace(w, r, func(k faas.NamespaceKeeper, ctx context.Context, n faas.Namespace) error {
		return k.DeleteNamespace(ctx, n.Name)
	})
}

func (a *API) changeNamespace(w http.ResponseWriter, r *http.Request, change func(faas.NamespaceKeeper, context.Context, faas.Namespace) error) {
	keeper, err := a.namespaceKeeper()
	var n faas.Namespace
	if err == nil {
		n, err = decodeNamespace(w, r)
	}
	if err == nil {
		err = change(keeper, r.Context(), n)
	}
	accepted(w, r, err)
}
