package gateway

import (
	"context"
	"net/http"
)

// Conn is a connection that tells when its client goes away. A server whose
// ConnContext is [ConnContext] serves them: package context would take eight
// allocations of each request to tell the same.
type Conn interface {
	// Watch has w interrupted, on a goroutine of its own, once the client is gone,
	// unless Unwatch comes before. There is one w at a time.
	Watch(w interface{ Interrupt() })
	// Unwatch tells whether w was not interrupted and never will be.
	Unwatch(w interface{ Interrupt() }) bool
	// Gone tells whether the client is.
	Gone() bool
}

type connKey struct{}

// ConnContext has the gateway know the connections that requests come over.
func ConnContext(ctx context.Context, c Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// caller is the context of a request that came over a Conn.
type caller struct {
	context.Context // the request's
	Conn
}

// of is r's context: c if that can be watched.
func (c *caller) of(r *http.Request) context.Context {
	ctx := r.Context()
	conn, ok := ctx.Value(connKey{}).(Conn)
	if !ok || r.ProtoMajor != 1 { // of HTTP/2, there are several requests at a time
		return ctx
	}
	c.Context, c.Conn = ctx, conn
	return c
}

// Err implements context.Context. The connection knows a bit sooner than the
// request's context.
func (c *caller) Err() error {
	if err := c.Context.Err(); err != nil || !c.Gone() {
		return err
	}
	return context.Canceled
}
