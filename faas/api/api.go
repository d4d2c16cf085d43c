package api

import (
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
	// OnChange is called after each successful deployment, update, removal and
	// scaling, before the client is answered. It MUST be safe for concurrent
	// use and return soon. May be nil.
	OnChange func()
}

// API serves the OpenFaaS system API. It is an http.Handler, safe for
// concurrent use, and starts nothing that would have to be closed.
type API struct {
	runtime faas.Runtime
	options Options
	mux     *http.ServeMux
}

// New returns an API over rt.
func New(rt faas.Runtime, o Options) *API {
	a := &API{runtime: rt, options: o, mux: http.NewServeMux()}
	var system http.Handler = a.system()
	if o.Credentials != nil {
		system = Auth(system, *o.Credentials)
	}
	a.mux.Handle("/system/", system)
	a.mux.HandleFunc("GET /healthz", a.health)
	a.mux.HandleFunc("/async-function/", missing("asynchronous invocations", "call /function/NAME, which answers when the function has"))
	a.mux.HandleFunc("/ui/", missing("the web page", "GET /system/functions lists what is deployed"))
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

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
	m.HandleFunc("GET /system/info", a.info)
	m.HandleFunc("GET /system/namespaces", a.namespaces)
	m.HandleFunc("/system/secrets", missing("secrets", "give the function its secrets by envVars or files"))
	m.HandleFunc("/system/logs", missing("logs of functions", "see the node's own log"))
	m.HandleFunc("/system/namespace/{name}", missing("making and changing namespaces", "a namespace appears with the first function deployed in it"))
	m.HandleFunc("/system/telemetry", missing("telemetry", ""))
	m.HandleFunc("/system/alert", missing("scaling by alerts", "use POST /system/scale-function/NAME"))
	return m
}

func missing(what, hint string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		Error(w, r, http.StatusNotImplemented, codeUnsupported, what+": not implemented", hint)
	}
}

func (a *API) changed() {
	if a.options.OnChange != nil {
		a.options.OnChange()
	}
}
