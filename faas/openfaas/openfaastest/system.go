package openfaastest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/openfaas/faas-provider/types"
)

func (g *Gateway) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", g.health)
	system := map[string]http.HandlerFunc{
		"GET /system/info":                   g.info,
		"GET /system/namespaces":             g.listNamespaces,
		"GET /system/namespace/{name}":       g.getNamespace,
		"POST /system/namespace/{$}":         g.createNamespace,
		"PUT /system/namespace/{name}":       g.updateNamespace,
		"DELETE /system/namespace/{name}":    g.deleteNamespace,
		"GET /system/secrets":                g.listSecrets,
		"POST /system/secrets":               g.createSecret,
		"PUT /system/secrets":                g.updateSecret,
		"DELETE /system/secrets":             g.deleteSecret,
		"GET /system/logs":                   g.logs,
		"GET /system/functions":              g.list,
		"POST /system/functions":             g.create,
		"PUT /system/functions":              g.update,
		"DELETE /system/functions":           g.remove,
		"GET /system/function/{name}":        g.get,
		"POST /system/scale-function/{name}": g.scale,
	}
	for pattern, handler := range system {
		m.HandleFunc(pattern, g.guarded(handler))
	}
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		g.t.Errorf("fake gateway: nothing answers %s %s", r.Method, r.URL)
		http.NotFound(w, r)
	})
	return m
}

// guarded asks for credentials first and needs the provider then.
func (g *Gateway) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if g.options.User != "" && (user != g.options.User || password != g.options.Password) {
			if !g.options.Strangers {
				g.t.Errorf("fake gateway: %s %s with user %q and a password of %d bytes", r.Method, r.URL, user, len(password))
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="Restricted"`)
			http.Error(w, "invalid credentials", http.StatusUnauthorized)
			return
		}
		if up, _ := g.state(); !up {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		next(w, r)
	}
}

func (g *Gateway) health(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		g.t.Error("fake gateway: credentials are sent to /healthz")
	}
	if up, _ := g.state(); !up {
		w.WriteHeader(http.StatusBadGateway)
	}
}

func (g *Gateway) info(w http.ResponseWriter, r *http.Request) {
	g.query(r)
	g.answer(w, map[string]any{
		"provider": types.ProviderInfo{Name: "openfaastest", Version: &types.VersionInfo{Release: "0.1.0"}, Orchestration: "go"},
		"version":  types.VersionInfo{Release: "0.27.0", SHA: "none"},
		"arch":     "x86_64",
	})
}

func (g *Gateway) list(w http.ResponseWriter, r *http.Request) {
	namespace, ok := g.namespace(w, g.query(r, "namespace").Get("namespace"))
	if !ok {
		return
	}
	if _, prometheus := g.state(); !prometheus {
		panic(http.ErrAbortHandler) // the real one dereferences nil
	}
	g.answer(w, g.statuses(namespace))
}

func (g *Gateway) get(w http.ResponseWriter, r *http.Request) {
	query := g.query(r, "namespace", "usage")
	namespace, ok := g.namespace(w, query.Get("namespace"))
	if !ok {
		return
	}
	f := g.find(name{r.PathValue("name"), namespace})
	if f == nil {
		http.Error(w, "function not found", http.StatusNotFound)
		return
	}
	g.mu.Lock()
	status := f.status()
	g.mu.Unlock()
	if usage, _ := strconv.ParseBool(query.Get("usage")); usage && !g.options.Community {
		status.Usage = &types.FunctionUsage{CPU: 250, TotalMemoryBytes: 64 << 20}
	}
	g.answer(w, status)
}

func (g *Gateway) create(w http.ResponseWriter, r *http.Request) {
	if d, ok := g.deployment(w, r); ok {
		g.store(w, d)
	}
}

func (g *Gateway) update(w http.ResponseWriter, r *http.Request) {
	d, ok := g.deployment(w, r)
	switch {
	case !ok:
	case g.find(name{d.Service, d.Namespace}) == nil:
		http.Error(w, "unable to find function deployment "+d.Service, http.StatusNotFound)
	default:
		g.store(w, d)
	}
}

func (g *Gateway) store(w http.ResponseWriter, d types.FunctionDeployment) {
	if s := g.lacksSecret(&d); s != "" {
		http.Error(w, "unable to find secret "+s, http.StatusBadRequest)
		return
	}
	if !g.deploy(d) {
		http.Error(w, "unable to pull image "+d.Image, http.StatusBadRequest)
		return
	}
	w.WriteHeader(g.options.Success)
}

func (g *Gateway) deployment(w http.ResponseWriter, r *http.Request) (d types.FunctionDeployment, ok bool) {
	g.query(r)
	if !g.decode(w, r, &d) {
		return d, false
	}
	if d.Service == "" || d.Image == "" || strings.ToLower(d.Service) != d.Service {
		g.t.Errorf("fake gateway: deployment of %q with image %q", d.Service, d.Image)
	}
	d.Namespace, ok = g.namespace(w, d.Namespace)
	return d, ok
}

func (g *Gateway) remove(w http.ResponseWriter, r *http.Request) {
	var d types.DeleteFunctionRequest
	query := g.query(r, "namespace")
	if !g.decode(w, r, &d) {
		return
	}
	if in := query.Get("namespace"); in != "" && d.Namespace != "" && in != d.Namespace {
		g.t.Errorf("fake gateway: removal from namespace %q and %q", in, d.Namespace)
	}
	namespace, ok := g.namespace(w, d.Namespace)
	if !ok {
		return
	}
	n := name{d.FunctionName, namespace}
	if g.find(n) == nil {
		http.Error(w, "function not found", http.StatusNotFound)
		return
	}
	g.mu.Lock()
	delete(g.functions, n)
	g.mu.Unlock()
	w.WriteHeader(g.options.Success)
}

func (g *Gateway) scale(w http.ResponseWriter, r *http.Request) {
	var s types.ScaleServiceRequest
	g.query(r, "namespace")
	if !g.decode(w, r, &s) {
		return
	}
	if s.ServiceName != r.PathValue("name") {
		g.t.Errorf("fake gateway: scaling of %q by the path of %q", s.ServiceName, r.PathValue("name"))
	}
	namespace, ok := g.namespace(w, s.Namespace)
	if !ok {
		return
	}
	f := g.find(name{s.ServiceName, namespace})
	if f == nil {
		http.Error(w, "function not found", http.StatusNotFound)
		return
	}
	if g.options.Community {
		s.Replicas = min(max(s.Replicas, 1), 5)
	}
	g.mu.Lock()
	f.replicas = s.Replicas
	g.mu.Unlock()
	w.WriteHeader(g.options.Success)
}

// namespace completes an empty one and answers 400 to one that is not there.
func (g *Gateway) namespace(w http.ResponseWriter, asked string) (string, bool) {
	if asked == "" || asked == defaultNamespace {
		return defaultNamespace, true
	}
	g.mu.Lock()
	_, found := g.namespaces[asked]
	g.mu.Unlock()
	if g.options.Community || !found {
		http.Error(w, "namespace not valid", http.StatusBadRequest)
		return "", false
	}
	return asked, true
}

// query fails the test on a parameter that is not one of those.
func (g *Gateway) query(r *http.Request, known ...string) url.Values {
	q := r.URL.Query()
	for parameter, values := range q {
		if !slices.Contains(known, parameter) || len(values) != 1 {
			g.t.Errorf("fake gateway: %s %s: parameter %s=%q", r.Method, r.URL, parameter, values)
		}
	}
	if r.Method == http.MethodGet && r.ContentLength != 0 {
		g.t.Errorf("fake gateway: %s %s has a body", r.Method, r.URL)
	}
	return q
}

// decode reads a JSON body and takes nothing that is not in the contract.
func (g *Gateway) decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if kind := r.Header.Get("Content-Type"); kind != "application/json" {
		g.t.Errorf("fake gateway: %s %s has content type %q", r.Method, r.URL, kind)
	}
	raw, err := io.ReadAll(r.Body)
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err == nil {
		err = decoder.Decode(into)
	}
	if err == nil && decoder.More() {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		g.t.Errorf("fake gateway: body of %s %s: %v: %s", r.Method, r.URL, err, raw)
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

func (g *Gateway) answer(w http.ResponseWriter, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		g.t.Errorf("fake gateway: %v", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw)
}
