package plainhttp

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/p2pfaas/p2pfaas/socket"
)

// conn is a client's connection as long as its requests are plain.
type conn struct {
	client  // its mu also guards what is said to be
	srv     *Server
	sock    *socket.Conn // tcp, for short calls
	raw     syscall.RawConn
	readAll func(fd uintptr) bool // onReadable, made once
	base    context.Context       // of its requests
	remote  string

	// Of the goroutine that serves:
	gear   *gear // nil while nothing is read that was not served
	next   step
	called *exchange // whose body is still to come
	spare  int       // bytes of white space that may come before a request
	used   bool      // a request has been served
	state  atomic.Int32

	current *exchange // whose handler runs, nil for none; guarded by mu
	poll    poll      // guarded by mu
}

// What state is.
const (
	idle    = iota // nothing has come, or not a whole head
	active         // a request is being answered
	closing        // nothing more is to be answered
)

// step is what the serving goroutine does next.
type step uint8

const (
	readOn   step = iota
	call          // the handler, whose request's body is still to come
	giveAway      // to net/http
	end
)

func newConn(s *Server, base context.Context, tcp *net.TCPConn) (*conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &conn{client: client{tcp: tcp}, srv: s, sock: socket.Of(tcp), raw: raw, remote: tcp.RemoteAddr().String()}
	c.readAll = c.onReadable
	c.base = s.context(context.WithValue(base, http.LocalAddrContextKey, tcp.LocalAddr()), c)
	return c, nil
}

// serve is the connection's goroutine. It ends with the connection, or gives it away.
func (c *conn) serve() {
	defer c.srv.forget(c)
	defer c.endPoll()
	if c.sock == nil || !c.srv.plain(c.base) {
		c.giveAway()
		return
	}
	c.bound(c.srv.http.ReadHeaderTimeout)
	for {
		if err := c.raw.Read(c.readAll); err != nil {
			break
		}
		if c.next == call {
			c.next = c.answer(c.called)
		}
		switch c.next {
		case giveAway:
			c.giveAway()
			return
		case end:
			c.close()
			return
		}
	}
	c.close()
}

// onReadable is called when there may be something to read. It serves what has come
// whole on the spot: to come back to wait would cost a read that finds nothing. True
// ends the waiting for more.
func (c *conn) onReadable(fd uintptr) bool {
	for {
		g := c.take()
		room := g.room()
		n, err := socket.Receive(fd, room)
		if err == syscall.EAGAIN {
			c.rest()
			return false
		}
		if err != nil {
			c.next = c.ended()
			return true
		}
		g.write += n
		if c.next = c.work(); c.next != readOn {
			return true
		}
		if c.gear == nil && n < len(room) { // that was all; see poll.ring for a stream's end just behind it
			c.rest()
			return false
		}
	}
}

// ended is what to do at the end of the stream.
func (c *conn) ended() step {
	least := 1
	if c.used {
		least = 4 // net/http waits for so many before it begins another request
	}
	if c.gear.unread() >= least {
		return giveAway // which says what is wrong with half a head
	}
	return end
}

// rest is called before the wait for more. Who is in the middle of a head gets the
// time for it that net/http would give, from its first byte on.
func (c *conn) rest() {
	g := c.gear
	if g != nil && g.unread() == 0 {
		c.release()
	}
	switch {
	case !c.used: // bounded since it was accepted
	case c.gear == nil:
		c.bound(c.srv.http.IdleTimeout)
	case g.fresh:
		g.fresh = false
		c.bound(c.srv.http.ReadHeaderTimeout)
	}
}

// work serves the requests that have come.
func (c *conn) work() step {
	g := c.gear
	for {
		g.read += c.leadingBlank()
		if g.unread() == 0 {
			c.release()
			return readOn
		}
		in := g.in[g.read:g.write]
		switch g.head.parse(in, c.srv.prefix) {
		case unfinished:
			if !g.makeRoom() {
				return giveAway
			}
			return readOn
		case odd:
			return giveAway
		}
		x := c.newExchange(in)
		if x == nil {
			return giveAway
		}
		g.read += g.head.end + len(x.body.came)
		if x.body.coming > 0 {
			c.called = x
			return call
		}
		if next := c.answer(x); next != readOn {
			return next
		}
	}
}

// mostBlank is how many bytes of line ends net/http forgives behind a POST's body.
const mostBlank = 4

// leadingBlank counts those that there are.
func (c *conn) leadingBlank() (n int) {
	for _, b := range c.gear.in[c.gear.read:c.gear.write] {
		if c.spare == 0 || b != '\r' && b != '\n' {
			break
		}
		c.spare--
		n++
	}
	return n
}

// answer has the handler called for x.
func (c *conn) answer(x *exchange) step {
	if !c.state.CompareAndSwap(idle, active) {
		return end
	}
	c.used = true
	c.enter(x)
	ok := c.run(x)
	here := c.leave(x)
	c.called = nil
	x.response.end()
	c.gear.clear()
	if !ok || !here || c.srv.ending.Load() || !c.state.CompareAndSwap(active, idle) {
		return end
	}
	c.spare = 0
	if x.request.Method == http.MethodPost {
		c.spare = mostBlank
	}
	return readOn
}

// run tells whether another request may follow.
func (c *conn) run(x *exchange) (ok bool) {
	defer func() {
		e := recover()
		if e != nil && e != http.ErrAbortHandler {
			c.srv.logf("plainhttp: panic serving %v: %v\n%s", c.remote, e, debug.Stack())
		}
		if e != nil {
			ok = false
			_ = c.limit(x, time.Unix(1, 0))
			x.body.skip(0) // whoever still reads shall not read what is somebody else's
		}
	}()
	c.srv.handler().ServeHTTP(&x.response, &x.request)
	if x.response.finish() && x.body.skip(skipTime) {
		return true
	}
	x.body.skip(lingerTime)
	return false
}

// giveAway has net/http serve the connection from here.
func (c *conn) giveAway() {
	c.bound(0)
	var head []byte
	if c.gear != nil {
		head = bytes.Clone(c.gear.in[c.gear.read:c.gear.write])
		c.release()
	}
	if c.state.Load() == closing || !c.srv.handOff.give(newHanded(c.tcp, head)) {
		_ = c.tcp.Close()
	}
}

func (c *conn) close() {
	if c.gear != nil {
		c.release()
	}
	_ = c.tcp.Close()
}

// endIfIdle ends the connection unless a request is under way, or has come.
func (c *conn) endIfIdle() {
	if c.look() == nothing && c.state.CompareAndSwap(idle, closing) {
		_ = c.tcp.CloseRead() // which has the goroutine that reads come to its end
	}
}

// hangUp ends the connection in the midst of anything.
func (c *conn) hangUp() {
	c.state.Store(closing)
	_ = c.tcp.CloseWrite() // first: what the handlers still say is not an answer
	c.lose()
	_ = c.tcp.CloseRead()
}
