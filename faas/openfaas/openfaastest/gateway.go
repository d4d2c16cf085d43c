package openfaastest

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openfaas/faas-provider/types"
)

// Options are how a Gateway differs from the plain one.
type Options struct {
	// Addr is where it listens; default a free port of loopback.
	Addr string
	// User and Password guard /system/; without User it is open.
	User, Password string
	// Strangers: requests with wrong credentials are part of the test.
	Strangers bool
	// ScaleFromZero is the gateway's setting of that name: it looks a function up
	// at the provider before each invocation, wakes it if it sleeps, and answers
	// 404 where the look-up fails, whatever the reason. Without it the provider is
	// called directly.
	ScaleFromZero bool
	// Community: replicas are kept from 1 to 5, and there is one namespace only.
	Community bool
	// Namespaces beside openfaas-fn.
	Namespaces []string
	// NoLogs: the provider keeps none.
	NoLogs bool
	// LogTime is how long the gateway answers with a log that is followed;
	// default 60 s.
	LogTime time.Duration
	// Success is the status of each change; default 202.
	Success int
	// Images are functions beside the package's own: each call makes a fresh one.
	Images map[string]func() http.Handler
}

// Gateway is the fake. Its methods are safe for concurrent use.
type Gateway struct {
	t       testing.TB
	options Options
	mux     *http.ServeMux
	addr    string

	mu         sync.Mutex
	server     *http.Server
	serving    sync.WaitGroup
	functions  map[name]*function
	secrets    map[name][]byte
	namespaces map[string]types.FunctionNamespace
	provider   bool
	prometheus bool
	requests   map[string]int // by method and path
}

// New starts a gateway without functions. It stops with the test.
func New(t testing.TB, o Options) *Gateway {
	t.Helper()
	if o.Success == 0 {
		o.Success = http.StatusAccepted
	}
	o.LogTime = cmp.Or(o.LogTime, time.Minute)
	g := &Gateway{
		t: t, options: o, addr: cmp.Or(o.Addr, "127.0.0.1:0"), provider: true, prometheus: true,
		functions: make(map[name]*function), requests: make(map[string]int), secrets: make(map[name][]byte),
		namespaces: map[string]types.FunctionNamespace{defaultNamespace: {Name: defaultNamespace}},
	}
	for _, n := range o.Namespaces {
		g.namespaces[n] = types.FunctionNamespace{Name: n}
	}
	g.mux = g.routes()
	g.Start()
	t.Cleanup(g.Stop)
	return g
}

// URL is where the gateway listens; Stop and Start do not change it.
func (g *Gateway) URL() string { return "http://" + g.addr }

// Stop ends the gateway's process, so to speak: all connections break.
func (g *Gateway) Stop() {
	g.mu.Lock()
	server := g.server
	g.server = nil
	g.mu.Unlock()
	if server != nil {
		_ = server.Close()
		g.serving.Wait()
	}
}

// Start brings a stopped gateway back.
func (g *Gateway) Start() {
	g.t.Helper()
	listener := g.listen()
	if addr := listener.Addr().String(); addr != g.addr {
		g.addr = addr
	}
	server := &http.Server{Handler: g, ReadHeaderTimeout: time.Minute}
	g.mu.Lock()
	g.server = server
	g.mu.Unlock()
	g.serving.Go(func() { // ends when the server is closed
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			g.t.Errorf("fake gateway: %v", err)
		}
	})
}

// listen tries for a while: a port that was just left may still be in use.
func (g *Gateway) listen() net.Listener {
	g.t.Helper()
	var lc net.ListenConfig
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		l, err := lc.Listen(context.Background(), "tcp", g.addr)
		if err == nil {
			return l
		}
		if time.Now().After(deadline) {
			g.t.Fatal(err)
		}
	}
}

// SetProvider has the provider behind the gateway be up or down. Down, health
// and API answer 502, and invocations as [Options.ScaleFromZero] has it.
func (g *Gateway) SetProvider(up bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.provider = up
}

// SetPrometheus has Prometheus be there or not. Without it, the gateway breaks
// off when it is asked for its functions.
func (g *Gateway) SetPrometheus(up bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.prometheus = up
}

// Requests counts the requests whose method and path begin with prefix, as
// "GET /system/function/".
func (g *Gateway) Requests(prefix string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for request, count := range g.requests {
		if strings.HasPrefix(request, prefix) {
			n += count
		}
	}
	return n
}

func (g *Gateway) state() (provider, prometheus bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.provider, g.prometheus
}

// ServeHTTP implements http.Handler: for what stands before a gateway.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.requests[r.Method+" "+r.URL.Path]++
	g.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/function/") {
		g.invoke(w, r) // past the mux, which would redirect a path such as //x
		return
	}
	g.mux.ServeHTTP(w, r)
}
