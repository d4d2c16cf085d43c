package api

import (
	"context"
	"net/http"

	logging "github.com/ipfs/go-log/v2"

	"github.com/p2pfaas/p2pfaas/faas"
)

var log = logging.Logger("p2pfaas/faas/api")

// Options of an [API]. The zero value serves without authentication.
type Options struct {
	// Credentials guard /system/; nil leaves it open.
	Credentials *Credentials
	// Version and Commit are the program's, told by /system/info.
	Version string
	Commit  string
	// P2pfaas gives the object of that name in /system/info, anything that
	// encoding/json takes. Nil: the object is left out.
	P2pfaas func() any
}

// API serves the OpenFaaS system API. It is an http.Handler and safe for
// concurrent use.
type API struct {
	runtime faas.Runtime
	options Options
	handler http.Handler

	life context.Context // of the answers that have no end of their own
	end  context.CancelFunc
}

// New returns an API over rt.
func New(rt faas.Runtime, o Options) *API {
	a := &API{runtime: rt, options: o}
	a.life, a.end = context.WithCancel(context.Background())
	system := plainErrors(a.system())
	if o.Credentials != nil {
		system = Auth(system, *o.Credentials)
	}
	m := http.NewServeMux()
	m.Handle("/system/", system)
	m.HandleFunc("GET /healthz", a.health)
	m.Handle("GET /{$}", http.RedirectHandler("/ui/", http.StatusTemporaryRedirect))
	m.HandleFunc("GET /ui/", noPage)
	a.handler = plainErrors(m)
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Close ends the logs that are followed, for which http.Server.Shutdown would
// else wait for ever: see RegisterOnShutdown there. The rest is served as before.
func (a *API) Close() { a.end() }

// system holds what needs credentials. It is a mux of its own so that one guard
// stands before all of it, wrong methods and unknown paths included.
func (a *API) system() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /system/functions", a.list)
	m.HandleFunc("POST /system/functions", a.deploy)
	m.HandleFunc("PUT /system/functions", a.update)
	m.HandleFunc("DELETE /system/functions", a.remove)
	m.HandleFunc("GET /system/function/{name}", a.get)
	m.HandleFunc("POST /system/scale-function/{name}", a.scale)
	m.HandleFunc("POST /system/alert", a.alert)
	m.HandleFunc("GET /system/info", a.info)
	m.HandleFunc("GET /system/telemetry", a.telemetry)
	m.HandleFunc("GET /system/logs", a.logs)
	m.HandleFunc("GET /system/secrets", a.listSecrets)
	m.HandleFunc("POST /system/secrets", a.createSecret)
	m.HandleFunc("PUT /system/secrets", a.updateSecret)
	m.HandleFunc("DELETE /system/secrets", a.deleteSecret)
	m.HandleFunc("GET /system/namespaces", a.listNamespaces)
	m.HandleFunc("GET /system/namespace/{name}", a.getNamespace)
	// Clients differ in where they name the namespace that they change.
	for _, path := range []string{"/system/namespace/{name}", "/system/namespace/{$}", "/system/namespace", "/system/namespaces"} {
		m.HandleFunc("POST "+path, a.createNamespace)
		m.HandleFunc("PUT "+path, a.updateNamespace)
		m.HandleFunc("DELETE "+path, a.deleteNamespace)
	}
	return m
}
