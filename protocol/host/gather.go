package host

import (
	"net"
	"runtime"
	"sync"
	"time"
)

// closeFlush is how long Close may take to send what is gathered.
const closeFlush = 250 * time.Millisecond

// gatherer is a connection whose small writes go out together. Write copies and
// returns; a goroutine yields once, so that whoever is about to write may do so,
// and then sends all that came together: with many streams that is one TLS
// record and one system call instead of one of each per frame.
//
// At most maxFrame bytes wait; beyond it Write blocks. An error of the
// connection is returned by the next Write, and ends the connection, so that its
// reader learns of it too.
type gatherer struct {
	net.Conn
	buffers *buffers
	done    chan struct{} // closed when the goroutine has ended

	mu        sync.Mutex // guards what follows
	waiting   []byte     // not sent yet, nil if there is nothing
	more      sync.Cond  // waiting grew, or closed
	room      sync.Cond  // waiting was taken, or err
	err       error      // of Write
	closed    bool
	allowance time.Duration // what SetWriteDeadline grants each write, 0: for ever
	deadline  time.Time     // what Conn's write deadline is now
}

// gather owns c from now on. The goroutine ends with Close, or with the first
// error of the connection.
func gather(c net.Conn, b *buffers) *gatherer {
	g := &gatherer{Conn: c, buffers: b, done: make(chan struct{})}
	g.more.L, g.room.L = &g.mu, &g.mu
	go g.send()
	return g
}

func (g *gatherer) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.err == nil && g.waiting != nil && len(g.waiting)+len(p) > maxFrame {
		g.room.Wait()
	}
	if g.err != nil {
		return 0, g.err
	}
	if g.waiting == nil {
		g.waiting = g.buffers.get()
		g.more.Signal()
	}
	g.waiting = append(g.waiting, p...)
	return len(p), nil
}

func (g *gatherer) send() {
	defer close(g.done)
	for g.ready() {
		runtime.Gosched()
		batch := g.take()
		_, err := g.Conn.Write(batch)
		g.buffers.put(batch)
		if err != nil {
			g.fail(err)
			return
		}
	}
}

// ready waits until there is something to send; false: there will be nothing.
func (g *gatherer) ready() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.waiting == nil && !g.closed {
		g.more.Wait()
	}
	return g.waiting != nil
}

func (g *gatherer) take() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	batch := g.waiting
	g.waiting = nil
	g.room.Signal()
	g.extend()
	return batch
}

// extend renews the connection's deadline once half of it has passed: a batch
// counts from its own beginning, not from when its frames were handed over.
func (g *gatherer) extend() {
	if g.allowance == 0 || g.closed || time.Until(g.deadline) > g.allowance/2 {
		return
	}
	g.deadline = time.Now().Add(g.allowance)
	_ = g.Conn.SetWriteDeadline(g.deadline) // a broken connection fails in Write
}

func (g *gatherer) fail(err error) {
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	g.room.Broadcast()
	g.mu.Unlock()
	_ = g.Conn.Close() // err says it all
}

// SetWriteDeadline grants each write the time from now until t; the zero time is
// for ever.
func (g *gatherer) SetWriteDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !t.IsZero() {
		g.allowance = max(time.Until(t), time.Millisecond)
		return nil
	}
	g.allowance, g.deadline = 0, time.Time{}
	if g.closed {
		return nil
	}
	return g.Conn.SetWriteDeadline(t)
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (g *gatherer) SetDeadline(t time.Time) error {
	if err := g.SetWriteDeadline(t); err != nil {
		return err
	}
	return g.Conn.SetReadDeadline(t)
}

// Close sends what is gathered, within closeFlush, and closes the connection. A
// Write that waits fails.
func (g *gatherer) Close() error {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		_ = g.Conn.SetWriteDeadline(time.Now().Add(closeFlush)) // else done only takes longer
	}
	if g.err == nil {
		g.err = net.ErrClosed
	}
	g.more.Signal()
	g.room.Broadcast()
	g.mu.Unlock()
	<-g.done
	return g.Conn.Close()
}

// buffers keeps gathering buffers for all connections of a host, so that an idle
// one holds none.
type buffers struct{ pool sync.Pool }

func newBuffers() *buffers {
	return &buffers{sync.Pool{New: func() any { return new([maxFrame]byte) }}}
}

func (b *buffers) get() []byte { return b.pool.Get().(*[maxFrame]byte)[:0] }

func (b *buffers) put(p []byte) {
	if cap(p) == maxFrame {
		b.pool.Put((*[maxFrame]byte)(p[:maxFrame]))
	}
}
