package plainhttp

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// exchange is one request and its answer, in one piece of memory. It is the
// request's context as well: done at its end, and when the client is gone.
type exchange struct {
	conn     *conn
	request  http.Request
	url      url.URL
	body     body
	response response

	ended bool          // guarded by conn.mu
	done  chan struct{} // made when somebody asks; guarded by conn.mu
}

// newExchange makes one of the head in gear, which was read from in; nil if
// net/http shall say what is wrong with it.
func (c *conn) newExchange(in []byte) *exchange {
	g := c.gear
	x := &exchange{conn: c}
	x.request = *new(http.Request).WithContext(x)
	r := &x.request
	if !g.fill(r, &x.url, in) {
		return nil
	}
	r.RemoteAddr, r.Body = c.remote, http.NoBody
	if size := g.head.size; size > 0 {
		came := in[g.head.end:]
		came = came[:min(size, int64(len(came)))]
		x.body.of, x.body.came, x.body.coming = x, came, size-int64(len(came))
		r.Body = &x.body
	} else {
		x.body.over = true
	}
	x.response.of, x.response.header, x.response.size = x, g.answer, -1
	return x
}

// Deadline implements context.Context.
func (x *exchange) Deadline() (time.Time, bool) { return x.conn.base.Deadline() }

// Value implements context.Context.
func (x *exchange) Value(key any) any { return x.conn.base.Value(key) }

// Done implements context.Context.
func (x *exchange) Done() <-chan struct{} {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	if x.done == nil {
		x.done = make(chan struct{})
		if x.ended {
			close(x.done)
		}
	}
	return x.done
}

// Err implements context.Context.
func (x *exchange) Err() error {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	if x.ended {
		return context.Canceled
	}
	return nil
}

// cancel is called with conn.mu held.
func (x *exchange) cancel() {
	if x.ended {
		return
	}
	x.ended = true
	if x.done != nil {
		close(x.done)
	}
}
