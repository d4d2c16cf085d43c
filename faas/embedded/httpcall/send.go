package httpcall

import (
	"context"
	"errors"
	"io"

	"github.com/p2pfaas/p2pfaas/faas"
)

// atOnce is the largest body that is copied behind the header and sent with it
// in one write, on the caller's goroutine.
const atOnce = 64 << 10

// send writes the request, or starts an upload that writes it.
func (a *answer) send(r *faas.Request) error {
	cn := a.conn
	cn.out = appendHead(cn.out[:0], r, a.client.addr)
	size := bodySize(r)
	switch {
	case size == 0:
		return a.write()
	case size > 0 && size <= atOnce && atHand(r.Body, size):
		return a.sendWhole(r, int(size))
	}
	for a.kept && !a.conn.alive() {
		if err := a.rejoin(); err != nil {
			return notStarted("write request", err)
		}
	}
	a.up = &upload{conn: a.conn, body: r.Body, left: size, trailer: r.Trailer, chunks: &a.client.chunks}
	go a.up.run()
	return nil
}

// copied is up to what size a body is copied behind the header even if its bytes
// can be had: that is cheaper than a write of two pieces.
const copied = 4 << 10

func (a *answer) sendWhole(r *faas.Request, size int) error {
	if lent, ok := r.Body.(interface{ Bytes() []byte }); ok && size > copied {
		if b := lent.Bytes(); len(b) >= size {
			a.lent = b[:size]
			return a.write()
		}
	}
	cn := a.conn
	cn.out = grow(cn.out, size)
	n := len(cn.out)
	if _, err := io.ReadFull(r.Body, cn.out[n:n+size]); err != nil {
		return notStarted("read request body", cut(err))
	}
	cn.out = cn.out[:n+size]
	return a.write()
}

// errDead: the function has closed a kept connection, or spoken unasked.
var errDead = errors.New("connection is dead")

// write sends what is in the connection's buffer. If a kept connection turns
// out to be dead before it took a byte, another one takes it.
func (a *answer) write() error {
	n, err := a.put()
	for err != nil && n == 0 && a.kept {
		if err = a.rejoin(); err != nil {
			break
		}
		n, err = a.put()
	}
	if err != nil && n == 0 {
		return notStarted("write request", err)
	}
	// A write that broke off: the function may have answered and closed, so
	// that its answer decides.
	a.broken, a.lent = err != nil, nil
	return nil
}

// put writes to a kept connection only if it is alive.
func (a *answer) put() (int, error) {
	cn := a.conn
	if a.kept && len(a.lent) == 0 {
		return cn.ask()
	}
	if a.kept && !cn.alive() {
		return 0, errDead
	}
	return cn.put(a.lent)
}

// rejoin goes on with another connection: a kept one is dead.
func (a *answer) rejoin() error {
	dead := a.conn
	a.watch.end()
	dead.close()
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	if err := a.join(); err != nil {
		return err
	}
	a.conn.out = dead.out
	return nil
}

func grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	return append(make([]byte, 0, len(b)+n), b...)
}

// cut makes an end that comes too early visible as one.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
