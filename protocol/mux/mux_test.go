package mux

import (
	"net"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	mux "github.com/libp2p/go-libp2p/p2p/muxer/testsuite"
	"go.uber.org/goleak"
	"golang.org/x/net/nettest"
)

// The test suite of the library leaves its listeners open.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/libp2p/go-libp2p/p2p/muxer/testsuite.GoServe.func1"))
}

func TestSuite(t *testing.T) {
	for name, m := range pairings() {
		t.Run(name, func(t *testing.T) { mux.SubtestAll(t, m) })
	}
}

// netConn makes a net.Conn of a stream.
type netConn struct {
	network.MuxedStream
	addr
}

type addr struct{}

func (addr) LocalAddr() net.Addr  { return addr{} }
func (addr) RemoteAddr() net.Addr { return addr{} }
func (addr) Network() string      { return "mux" }
func (addr) String() string       { return "stream" }

// A stream has the properties of a network connection: deadlines that hold for
// waiting calls too, in either direction, and any mix of calls without a race.
func TestStreamIsAConnection(t *testing.T) {
	for name, m := range map[string]network.Multiplexer{"socket": ours{New(Config{})}, "plain": New(Config{})} {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				client, server := sessions(t, m, NewSocket)
				a, b := streams(t, client, server)
				return netConn{MuxedStream: a}, netConn{MuxedStream: b}, func() { _, _ = client.Close(), server.Close() }, nil
			})
		})
	}
}
