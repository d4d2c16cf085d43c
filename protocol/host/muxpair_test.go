package host

import (
	"io"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/sec"
)

// muxedPair is one muxed TLS connection over loopback TCP.
func muxedPair(t testing.TB, gathering bool) (client, server network.MuxedConn) {
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
	m := newMuxer(false, gathering)
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
