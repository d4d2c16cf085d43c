package openfaastest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/openfaas/faas-provider/types"
)

// Secret is the value of a secret in the default namespace.
func (g *Gateway) Secret(called string) (value string, found bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v, found := g.secrets[name{called, defaultNamespace}]
	return string(v), found
}

func (g *Gateway) listSecrets(w http.ResponseWriter, r *http.Request) {
	namespace, ok := g.namespace(w, g.query(r, "namespace").Get("namespace"))
	if !ok {
		return
	}
	g.mu.Lock()
	list := []types.Secret{}
	for n := range g.secrets {
		if n.namespace == namespace {
			list = append(list, types.Secret{Name: n.function, Namespace: namespace})
		}
	}
	g.mu.Unlock()
	slices.SortFunc(list, func(a, b types.Secret) int { return strings.Compare(b.Name, a.Name) }) // no order is promised
	g.answer(w, list)
}

func (g *Gateway) createSecret(w http.ResponseWriter, r *http.Request) {
	n, value, ok := g.secret(w, r, true)
	if !ok {
		return
	}
	g.mu.Lock()
	_, found := g.secrets[n]
	if !found {
		g.secrets[n] = value
	}
	g.mu.Unlock()
	if found {
		http.Error(w, "secret "+n.function+" already exists", http.StatusConflict)
		return
	}
	w.WriteHeader(g.options.Success)
}

func (g *Gateway) updateSecret(w http.ResponseWriter, r *http.Request) {
	if n, value, ok := g.secret(w, r, true); ok {
		g.changeSecret(w, n, func() { g.secrets[n] = value })
	}
}

func (g *Gateway) deleteSecret(w http.ResponseWriter, r *http.Request) {
	if n, _, ok := g.secret(w, r, false); ok {
		g.changeSecret(w, n, func() { delete(g.secrets, n) })
	}
}

func (g *Gateway) changeSecret(w http.ResponseWriter, n name, change func()) {
	g.mu.Lock()
	_, found := g.secrets[n]
	if found {
		change()
	}
	g.mu.Unlock()
	if !found {
		http.Error(w, "secret "+n.function+" not found", http.StatusNotFound)
		return
	}
	w.WriteHeader(g.options.Success)
}

func (g *Gateway) secret(w http.ResponseWriter, r *http.Request, valued bool) (n name, value []byte, ok bool) {
	var s types.Secret
	g.query(r)
	if !g.decode(w, r, &s) {
		return n, nil, false
	}
	value = []byte(cmp.Or(s.Value, string(s.RawValue)))
	if s.Name == "" || strings.ContainsAny(s.Name, "/ ") || s.Value != "" && s.RawValue != nil || (len(value) > 0) != valued {
		g.t.Errorf("fake gateway: %s of secret %q with a value of %d bytes and a raw one of %d", r.Method, s.Name, len(s.Value), len(s.RawValue))
	}
	n = name{function: s.Name}
	n.namespace, ok = g.namespace(w, s.Namespace)
	return n, value, ok
}

// lacksSecret is the first secret that a deployment names and that is not
// there, "" if none is.
func (g *Gateway) lacksSecret(d *types.FunctionDeployment) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range d.Secrets {
		if _, found := g.secrets[name{s, d.Namespace}]; !found {
			return s
		}
	}
	return ""
}
