package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"pgregory.net/rapid"
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

// countingConn counts writes.
type countingConn struct {
	net.Conn
	writes atomic.Int64
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// Whatever the sizes of the writes, the bytes arrive in order, and Close sends
// the last of them.
func TestGatherKeepsBytes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(0, 3*maxFrame/2), 0, 20).Draw(rt, "sizes")
		a, b := tcpPair(t)
		g := gather(a, newBuffers())
		var sent bytes.Buffer
		got := make(chan []byte)
		go func() {
			all, _ := io.ReadAll(b)
			got <- all
		}()
		for i, n := range sizes {
			p := bytes.Repeat([]byte{byte(i)}, n)
			sent.Write(p)
			if m, err := g.Write(p); m != n || err != nil {
				rt.Fatalf("write of %d: %d, %v", n, m, err)
			}
		}
		if err := g.Close(); err != nil {
			rt.Fatal(err)
		}
		if all := <-got; !bytes.Equal(all, sent.Bytes()) {
			rt.Fatalf("%d bytes arrived of %d, or in another order", len(all), sent.Len())
		}
		_ = b.Close()
	})
}

func TestGatherGathers(t *testing.T) {
	a, b := tcpPair(t)
	counted := &countingConn{Conn: a}
	g := gather(counted, newBuffers())
	defer g.Close()
	go func() { _, _ = io.Copy(io.Discard, b) }()
	const frames = 20000
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range frames / 16 {
				if _, err := g.Write(make([]byte, 100)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := counted.writes.Load(); n > frames/2 {
		t.Errorf("%d writes for %d frames", n, frames)
	}
}

func TestGatherBounds(t *testing.T) {
	a, b := net.Pipe() // nobody reads
	defer b.Close()
	g := gather(a, newBuffers())
	blocked := make(chan error, 1)
	var accepted atomic.Int64
	go func() {
		for {
			n, err := g.Write(make([]byte, 1000))
			if err != nil {
				blocked <- err
				return
			}
			accepted.Add(int64(n))
		}
	}()
	eventually(t, "back-pressure", func() bool {
		before := accepted.Load()
		time.Sleep(20 * time.Millisecond)
		return before > 0 && accepted.Load() == before
	})
	if n := accepted.Load(); n > 2*maxFrame {
		t.Errorf("%d bytes are held, want %d at most", n, 2*maxFrame)
	}
	begun := time.Now()
	_ = g.Close()
	if err := <-blocked; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the waiting Write ended with %v", err)
	}
	if took := time.Since(begun); took > 10*closeFlush {
		t.Errorf("Close took %v with a peer that does not read", took)
	}
}

func TestGatherPassesErrorsOn(t *testing.T) {
	a, b := tcpPair(t)
	g := gather(a, newBuffers())
	defer g.Close()
	_ = b.Close()
	var err error
	eventually(t, "an error", func() bool { _, err = g.Write([]byte("x")); return err != nil })
	if _, err := g.Read(make([]byte, 1)); err == nil {
		t.Error("the reader has not learnt of it")
	}
}

func TestGatherDeadline(t *testing.T) {
	a, b := net.Pipe() // nobody reads
	defer b.Close()
	g := gather(a, newBuffers())
	defer g.Close()
	if err := g.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var err error
	eventually(t, "a timeout", func() bool { _, err = g.Write(make([]byte, 100)); return err != nil })
	if !os.IsTimeout(err) {
		t.Errorf("error %v, want a timeout", err)
	}
}

// BenchmarkMuxer has n clients, each on a kept stream, that send 1 KB and wait
// for 1 KB, over TLS on loopback. Compare within one run.
func BenchmarkMuxer(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		for _, gathering := range []bool{false, true} {
			b.Run(fmt.Sprintf("clients=%d/gather=%v", n, gathering), func(b *testing.B) { benchmarkMuxer(b, n, gathering) })
		}
	}
}

func benchmarkMuxer(b *testing.B, clients int, gathering bool) {
	from, to := muxedPair(b, gathering)
	go echoStreams(to)
	work := make(chan struct{}, clients)
	var wg sync.WaitGroup
	for range clients {
		s, err := from.OpenStream(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		wg.Go(func() {
			p := make([]byte, 1024)
			for range work {
				if _, err := s.Write(p); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(s, p); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
}

// A connection that closes, from either side and in the middle of traffic, ends
// every stream with an error and leaves nothing behind (see TestMain).
func TestMuxerClosesUnderLoad(t *testing.T) {
	for _, byServer := range []bool{false, true} {
		from, to := muxedPair(t, true)
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
	from, to := muxedPair(t, true)
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
