package hop

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// relay is distance: bytes arrive s.Delay after they were sent, each way. What
// it does for a connection of its own, it does in place of the kernel, which
// would have taken a round trip for the handshake: that is added, once.
//
// Slow start and loss are not modelled.
type relay struct {
	listener net.Listener
	to       string
	delay    time.Duration
	free     sync.Pool // of *[]byte

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func newRelay(s Setting) (server, error) {
	l, err := listen()
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, to: s.To, delay: s.Delay, conns: map[net.Conn]struct{}{}}
	go r.accept() // ends with Close
	return r, nil
}

func (r *relay) Addr() string { return r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.join(near) // ends with the connection
	}
}

func (r *relay) join(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer far.Close()
	r.keep(near, far)
	defer r.drop(near, far)
	var both sync.WaitGroup
	both.Go(func() { r.carry(far, near, time.Now().Add(2*r.delay)) })
	both.Go(func() { r.carry(near, far, time.Time{}) })
	both.Wait()
}

// part is what was read at once, and when it is due at the other end.
type part struct {
	buf *[]byte
	n   int
	due time.Time
}

// inTransit bounds the parts that are on the way in one direction: 64 MB.
const inTransit = 1 << 10

// carry copies until the end, nothing of it before the moment open.
func (r *relay) carry(to, from net.Conn, open time.Time) {
	parts := make(chan part, inTransit)
	go func() { // ends with from
		defer close(parts)
		if err := r.receive(parts, from, open); !errors.Is(err, io.EOF) {
			_ = to.Close()
		}
	}()
	for p := range parts {
		time.Sleep(time.Until(p.due))
		_, _ = to.Write((*p.buf)[:p.n]) // if to is gone, from soon is too
		r.free.Put(p.buf)
	}
	_ = to.(*net.TCPConn).CloseWrite()
}

// receive reads until the error that it returns.
func (r *relay) receive(parts chan<- part, from net.Conn, open time.Time) error {
	for {
		buf, _ := r.free.Get().(*[]byte)
		if buf == nil {
			buf = new(make([]byte, bufferSize))
		}
		n, err := from.Read(*buf)
		if n > 0 {
			due := time.Now()
			if due.Before(open) {
				due = open
			}
			parts <- part{buf, n, due.Add(r.delay)}
		}
		if err != nil {
			return err
		}
	}
}

func (r *relay) keep(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.conns[c] = struct{}{}
	}
}

func (r *relay) drop(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		delete(r.conns, c)
	}
}

func (r *relay) Close() error {
	err := r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		_ = c.Close()
	}
	return err
}
