package node

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/node/async"
	"github.com/p2pfaas/p2pfaas/node/compat"
	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/node/web"
)

// headerTimeout bounds the time that an HTTP client takes for its header.
const headerTimeout = 10 * time.Second

// routes is the node's HTTP side: functions and health for everyone, the rest
// for who has the credentials.
func (n *Node) routes(credentials *api.Credentials) http.Handler {
	system := api.New(n.runtime, api.Options{
		Credentials: credentials,
		Version:     n.cfg.Version,
		P2pfaas:     func() any { return n.Ready() },
	})
	n.server.RegisterOnShutdown(system.Close)
	guard := func(h http.Handler) http.Handler {
		if credentials == nil {
			return h
		}
		return api.Auth(h, *credentials)
	}
	functions := gateway.New(n.dispatcher, n.self.String(), "p2pfaas/"+n.cfg.Version)
	dialect := compat.New(foreign{n}, n.cfg.Version, n.cfg.Compat)
	functions.Dialect = dialect
	mux := http.NewServeMux()
	mux.Handle("/", system)
	dialect.Routes(mux, guard)
	n.answers.Routes(mux, guard)
	n.policyRoutes(mux, guard)
	if n.served != nil {
		n.served.Routes(mux, guard)
	}
	mux.Handle("GET "+web.Prefix, guard(web.Handler()))
	queued := async.NewAPI(n.async)
	queued.Routes(mux, guard)
	mux.Handle("GET /metrics", guard(promhttp.HandlerFor(n.dispatcher.metrics.registry, promhttp.HandlerOpts{})))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, gateway.Prefix) {
			functions.ServeHTTP(w, r) // the mux would tidy up paths that are the function's business
			return
		}
		if strings.HasPrefix(r.URL.Path, async.Prefix) {
			queued.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Handler is what the node serves over HTTP, credentials asked for as
// configured; nil before Start. With Config.HTTP [HTTPNone] it is the only way to
// the gateway, for a program that has a server of its own.
func (n *Node) Handler() http.Handler { return n.server.Handler }

func (n *Node) listenHTTP(ctx context.Context) error {
	n.server.Handler = n.routes(n.credentials)
	if n.cfg.HTTP == HTTPNone {
		n.httpAddr = HTTPNone
		return nil
	}
	addr, narrowed := httpAddr(n.cfg.HTTP, publicAddr)
	if narrowed != "" {
		log.Warnw("this machine has a public address: HTTP is bound to loopback; name an address in --http, 0.0.0.0 for all, to bind it elsewhere", "public", narrowed, "http", addr)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for HTTP at %s (choose another with --http): %w", addr, err)
	}
	n.httpAddr = listener.Addr().String()
	n.server.ReadHeaderTimeout = headerTimeout
	n.serving.Go(func() { // ends when the server is shut down or closed
		if err := n.http.Serve(listener.(*net.TCPListener)); err != http.ErrServerClosed {
			log.Errorw("HTTP server ended", "error", err)
		}
	})
	return nil
}

// httpAddr is where HTTP is bound: as configured, but on loopback only where no
// address was named and this machine has a public one.
func httpAddr(configured string, public func() (netip.Addr, bool)) (addr, narrowed string) {
	host, port, err := net.SplitHostPort(configured)
	if err != nil || host != "" {
		return configured, ""
	}
	if a, ok := public(); ok {
		return net.JoinHostPort("127.0.0.1", port), a.String()
	}
	return configured, ""
}

// publicAddr finds an address of this machine that the whole Internet may reach.
func publicAddr() (netip.Addr, bool) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}, false
	}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err == nil && isPublic(prefix.Addr()) {
			return prefix.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// sharedSpace is RFC 6598, carrier-grade NAT: not public although not "private".
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !sharedSpace.Contains(a)
}
