package openfaastest

import (
	"maps"
	"net/http"
	"slices"

	"github.com/openfaas/faas-provider/types"
)

func (g *Gateway) listNamespaces(w http.ResponseWriter, r *http.Request) {
	g.query(r)
	if g.options.Community {
		http.Error(w, "namespaces are not supported", http.StatusNotImplemented)
		return
	}
	g.mu.Lock()
	names := slices.Collect(maps.Keys(g.namespaces)) // no order is promised
	g.mu.Unlock()
	g.answer(w, names)
}

func (g *Gateway) getNamespace(w http.ResponseWriter, r *http.Request) {
	g.query(r)
	if !g.hasNamespaces(w) {
		return
	}
	g.mu.Lock()
	n, found := g.namespaces[r.PathValue("name")]
	g.mu.Unlock()
	if !found {
		http.Error(w, "namespace "+r.PathValue("name")+" not found", http.StatusNotFound)
		return
	}
	g.answer(w, n)
}

func (g *Gateway) createNamespace(w http.ResponseWriter, r *http.Request) {
	n, ok := g.mutation(w, r)
	if !ok {
		return
	}
	g.mu.Lock()
	_, found := g.namespaces[n.Name]
	if !found {
		g.namespaces[n.Name] = n
	}
	g.mu.Unlock()
	if found {
		http.Error(w, "namespace "+n.Name+" already exists", http.StatusConflict)
		return
	}
	w.WriteHeader(g.options.Success)
}

func (g *Gateway) updateNamespace(w http.ResponseWriter, r *http.Request) {
	g.changeNamespace(w, r, func(n types.FunctionNamespace) { g.namespaces[n.Name] = n })
}

func (g *Gateway) deleteNamespace(w http.ResponseWriter, r *http.Request) {
	g.changeNamespace(w, r, func(n types.FunctionNamespace) { delete(g.namespaces, n.Name) })
}

func (g *Gateway) changeNamespace(w http.ResponseWriter, r *http.Request, change func(types.FunctionNamespace)) {
	n, ok := g.mutation(w, r)
	if !ok {
		return
	}
	if n.Name != r.PathValue("name") {
		g.t.Errorf("fake gateway: %s of namespace %q by the path of %q", r.Method, n.Name, r.PathValue("name"))
	}
	g.mu.Lock()
	_, found := g.namespaces[n.Name]
	if found {
		change(n)
	}
	g.mu.Unlock()
	if !found {
		http.Error(w, "namespace "+n.Name+" not found", http.StatusNotFound)
		return
	}
	w.WriteHeader(g.options.Success)
}

// mutation reads a change of a namespace, which must bear OpenFaaS's mark.
func (g *Gateway) mutation(w http.ResponseWriter, r *http.Request) (n types.FunctionNamespace, ok bool) {
	g.query(r)
	if !g.hasNamespaces(w) || !g.decode(w, r, &n) {
		return n, false
	}
	if !label.MatchString(n.Name) || n.Labels["openfaas"] != "1" || r.Method != http.MethodDelete && n.Annotations["openfaas"] != "1" {
		g.t.Errorf("fake gateway: %s of namespace %q with labels %v and annotations %v", r.Method, n.Name, n.Labels, n.Annotations)
	}
	return n, true
}

func (g *Gateway) hasNamespaces(w http.ResponseWriter) bool {
	if g.options.Community {
		http.Error(w, "Feature not implemented in this version of OpenFaaS", http.StatusNotImplemented)
	}
	return !g.options.Community
}
