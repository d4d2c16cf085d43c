package mux

import (
	"net"
	"sync"
	"testing"
	"time"
)

// answering is a connection like TLS's when it is asked for a new key: a read
// writes, under the lock of writes.
type answering struct {
	net.Conn
	mu    sync.Mutex
	asked chan struct{}
}

func (c *answering) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Conn.Write(p)
}

func (c *answering) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	select {
	case <-c.asked:
		_, _ = c.Write(make([]byte, headerSize))
	default:
	}
	return n, err
}

func (c *answering) NetConn() net.Conn { return c.Conn }

// A session ends by itself although the goroutine that receives is stuck with an
// answer to a peer that reads nothing.
func TestDeafPeerThatAsks(t *testing.T) {
	a, b := tcpPair(t)
	_ = a.(*net.TCPConn).SetWriteBuffer(64 << 10)
	_ = b.(*net.TCPConn).SetReadBuffer(64 << 10)
	c := &answering{Conn: NewSocket(a), asked: make(chan struct{})}
	m, err := New(Config{KeepAlive: 100 * time.Millisecond, Timeout: 300 * time.Millisecond}).NewConn(c, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	st := openWide(t, m.(*Session))
	ended := make(chan error, 1)
	go func() {
		_, err := st.Write(make([]byte, 64<<20))
		ended <- err
	}()
	time.Sleep(100 * time.Millisecond) // for the socket to fill
	close(c.asked)
	_, _ = b.Write(appendHeader(nil, header{kind: kindPing, flags: flagACK}))
	select {
	case err := <-ended:
		if err == nil {
			t.Error("64 MB were written to a peer that reads nothing")
		}
	case <-time.After(20 * time.Second):
		t.Error("the writer hangs")
	}
}
