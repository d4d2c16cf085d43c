package host

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/sec"

	"github.com/p2pfaas/p2pfaas/protocol/mux"
)

// tcpPair is a connection over loopback.
func tcpPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

// muxedPair is one muxed TLS connection over such a one.
func muxedPair(t testing.TB) (client, server network.MuxedConn) {
	t.Helper()
	a, b := tcpPair(t)
	clientTLS, serverTLS := newTestTLS(t), newTestTLS(t)
	secured := make(chan sec.SecureConn, 1)
	go func() {
		c, err := serverTLS.SecureInbound(t.Context(), b, "")
		if err != nil {
			t.Error(err)
		}
		secured <- c
	}()
	c, err := clientTLS.SecureOutbound(t.Context(), a, serverTLS.local)
	if err != nil {
		t.Fatal(err)
	}
	if _, is := c.(*tlsConn).NetConn().(*mux.Socket); !is {
		t.Error("TLS is not over a mux.Socket: each message costs a goroutine more")
	}
	m := newMuxer(false, true)
	if client, err = m.NewConn(c, false, &network.NullScope{}); err != nil {
		t.Fatal(err)
	}
	if server, err = m.NewConn(<-secured, true, &network.NullScope{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

// echoStreams ends with the connection.
func echoStreams(c network.MuxedConn) {
	for {
		s, err := c.AcceptStream()
		if err != nil {
			return
		}
		go func() {
			buf := make([]byte, 4096)
			for {
				n, err := s.Read(buf)
				if err != nil {
					return
				}
				if _, err := s.Write(buf[:n]); err != nil && err != io.EOF {
					return
				}
			}
		}()
	}
}

// A connection that closes, from either side and in the middle of traffic, ends
// every stream with an error and leaves nothing behind (see TestMain).
func TestMuxerClosesUnderLoad(t *testing.T) {
	for _, byServer := range []bool{false, true} {
		from, to := muxedPair(t)
		go echoStreams(to)
		var wg sync.WaitGroup
		var exchanged atomic.Int64
		for range 16 {
			s, err := from.OpenStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				for p := make([]byte, 1024); ; exchanged.Add(1) {
					if _, err := s.Write(p); err != nil {
						return
					}
					if _, err := io.ReadFull(s, p); err != nil {
						return
					}
				}
			})
		}
		eventually(t, "traffic", func() bool { return exchanged.Load() > 1000 })
		closing := from
		if byServer {
			closing = to
		}
		if err := closing.CloseWithError(7); err != nil {
			t.Error(err)
		}
		wg.Wait()
		eventually(t, "both sides closed", func() bool { return from.IsClosed() && to.IsClosed() })
	}
}

// The reason of a close is sent although it is the last thing written.
func TestMuxerTellsWhyItCloses(t *testing.T) {
	from, to := muxedPair(t)
	accepted := make(chan error, 1)
	go func() {
		_, err := to.AcceptStream()
		accepted <- err
	}()
	if err := from.CloseWithError(42); err != nil {
		t.Fatal(err)
	}
	var ce *network.ConnError
	if err := <-accepted; !errors.As(err, &ce) || ce.ErrorCode != 42 || !ce.Remote {
		t.Errorf("the other side learnt %v, want code 42", err)
	}
}
