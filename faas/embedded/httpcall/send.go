package httpcall

import (
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
	a.up = &upload{conn: cn, body: r.Body, left: size, trailer: r.Trailer, chunks: &a.client.chunks}
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

// write sends what is in the connection's buffer. If a kept connection turns
// out to be dead before it took a byte, a new one takes it.
func (a *answer) write() error {
	n, err := a.conn.put(a.lent)
	if err != nil && n == 0 && a.kept {
		n, err = a.rewrite()
	}
	if err != nil && n == 0 {
		return notStarted("write request", err)
	}
	// A write that broke off: the function may have answered and closed, so
	// that its answer decides.
	a.broken, a.lent = err != nil, nil
	return nil
}

func (a *answer) rewrite() (int, error) {
	dead := a.conn
	a.watch.end()
	dead.close()
	if err := a.connect(); err != nil {
		return 0, err
	}
	a.conn.out = dead.out
	return a.conn.put(a.lent)
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
