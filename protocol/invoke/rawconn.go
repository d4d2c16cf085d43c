package invoke

import (
	"io"
	"net"
	"sync"
	"time"
)

// rawConn is the client's end of an upgraded stream. It is never kept.
type rawConn struct {
	x       *Exchange
	reading chan struct{} // full: somebody reads

	mu     sync.Mutex
	closed bool // guarded by mu
	ended  bool // the other side has ended, guarded by mu
}

func newRawConn(x *Exchange) *rawConn {
	return &rawConn{x: x, reading: make(chan struct{}, 1)}
}

func (c *rawConn) Read(p []byte) (int, error) {
	c.reading <- struct{}{}
	defer func() { <-c.reading }()
	c.mu.Lock()
	closed, ended := c.closed, c.ended
	c.mu.Unlock()
	switch {
	case closed:
		return 0, net.ErrClosed
	case ended:
		return 0, io.EOF
	}
	n, err := c.x.st.src.Read(p)
	return n, c.readError(err)
}

func (c *rawConn) readError(err error) error {
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = c.ended || isEnd(err)
	switch {
	case isEnd(err):
		return io.EOF
	case c.closed:
		return net.ErrClosed
	}
	return c.x.cutFailure(err)
}

func (c *rawConn) Write(p []byte) (int, error) {
	n, err := c.x.st.stream.Write(p)
	if err != nil {
		err = c.x.cutFailure(err)
	}
	return n, err
}

func (c *rawConn) CloseWrite() error { return c.x.st.stream.CloseWrite() }

// Close sends what is written, ends a Read that waits, and lets go of the
// stream once the other side has ended too, after lingerTime at the latest: a
// reset at once would take with it what has been written.
func (c *rawConn) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	if again {
		return nil
	}
	err := c.x.st.stream.CloseWrite()
	_ = c.x.st.stream.SetReadDeadline(time.Now())
	if !c.x.client.addSender() {
		c.x.client.senders.Done()
		c.x.end(false, io.EOF)
		return err
	}
	go c.linger()
	return err
}

// linger ends when the other side has ended, or with lingerTime.
func (c *rawConn) linger() {
	defer c.x.client.senders.Done()
	c.reading <- struct{}{}
	defer func() { <-c.reading }()
	c.mu.Lock()
	clean := c.ended
	c.mu.Unlock()
	if !clean {
		_ = c.x.st.stream.SetReadDeadline(time.Now().Add(lingerTime))
		readErr, _ := copyRaw(io.Discard, &c.x.st.src)
		clean = readErr == nil
	}
	c.x.st.clean = clean
	c.x.end(false, io.EOF)
}
