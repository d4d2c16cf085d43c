// Package builtin holds the functions that come with the node: small HTTP
// servers to try a mesh with, to measure it and to test it.
//
//	hello   says who answers
//	echo    sends the body back as it arrives; echoes WebSocket messages too
//	sleep   answers after a while, idle        ?d=250ms, X-Duration, $duration
//	burn    answers after a while of CPU time  the same
//	stream  sends events one by one            ?n=5&every=100ms
//	env     shows the request and the environment as JSON
//
// Each runs in a process of its own, which is the node's binary: [Run] is what
// that process does. GET /_/counters tells what ran, without being counted.
//
// For tests of what lies between a caller and a function, echo answers with
// ?status=N, sends back fields that begin with X-Echo- and the request's
// trailer, and cuts its answer after ?cut=N bytes; stream does after N events.
package builtin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// shutdown bounds the wait for requests under way when Run ends.
const shutdown = 10 * time.Second

func functions() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"hello": hello, "echo": fullDuplex(echo), "sleep": sleep,
		"burn": burn, "stream": stream, "env": env,
	}
}

// Names lists the functions, sorted.
func Names() []string { return slices.Sorted(maps.Keys(functions())) }

// Handler serves the named function and its counters.
func Handler(name string) (http.Handler, error) {
	f, ok := functions()[name]
	if !ok {
		return nil, fmt.Errorf("no builtin function %q: there are %s", name, strings.Join(Names(), ", "))
	}
	return &counted{next: f}, nil
}

// Run serves the named function on 127.0.0.1:port until ctx ends, then lets
// requests under way finish. It says on w what it serves.
func Run(ctx context.Context, name, port string, w io.Writer) error {
	h, err := Handler(name)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return fmt.Errorf("serve builtin function %s: %w", name, err)
	}
	_, _ = fmt.Fprintf(w, "builtin function %s listens on %s\n", name, l.Addr())
	return serve(ctx, l, h)
}

func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	// Without an idle limit of its own: the node closes what it does not use.
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Hour}
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
		defer cancel()
		if s.Shutdown(end) != nil {
			_ = s.Close()
		}
	})
	defer stop()
	err := s.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// fullDuplex lets a function answer while it still reads. It MUST read to the
// end: the server would else read on after the handler, and at the same time wait
// for the next request.
func fullDuplex(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		next(w, r)
	}
}
