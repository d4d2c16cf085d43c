package mux

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"pgregory.net/rapid"
)

// pass sends n bytes from a to b.
func pass(t testing.TB, a, b network.MuxedStream, n int) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := a.Write(make([]byte, n)); err != nil {
			t.Error(err)
		}
	})
	if _, err := io.ReadFull(b, make([]byte, n)); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// On a long way a window grows to its maximum, and all of it is granted: the
// sender may have as much under way as the receiver has paid for.
func TestWindowGrows(t *testing.T) {
	const first, most = 512 << 10, 5 << 20
	for name, far := range map[string]time.Duration{"near": 0, "far": time.Hour} {
		t.Run(name, func(t *testing.T) {
			client, server := sessions(t, New(Config{FirstWindow: first, MaxWindow: most}), NewSocket)
			m, n := streams(t, client, server)
			a, b := m.(*Stream), n.(*Stream)
			want := first
			if far > 0 {
				want = most
			}
			eventually(t, "ping", func() bool { return measuredRTT(b.s) > 0 })
			b.s.mu.Lock()
			b.s.rtt = far
			b.s.mu.Unlock()
			pass(t, a, b, 16<<20)
			eventually(t, "full grant", func() bool {
				sent, granted, target := windows(a, b)
				return target == want && sent == granted && granted > target/2
			})
		})
	}
}

func measuredRTT(s *Session) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rtt
}

// windows are what a may send, what b granted it, and the window's size.
func windows(a, b *Stream) (sent, granted, target int) {
	a.s.mu.Lock()
	sent = int(a.window)
	a.s.mu.Unlock()
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	return sent, b.granted, b.target
}

// Without memory for more a window stays as it is, and serves.
func TestWindowWithoutMemory(t *testing.T) {
	a, b := tlsPair(t, NewSocket)
	m := New(Config{FirstWindow: 1 << 20, MaxWindow: 8 << 20})
	client, _ := m.NewConn(a, false, nil)
	defer client.Close()
	server, _ := m.NewConn(b, true, &boundedScope{left: MinWindow})
	defer server.Close()
	from, to := streams(t, client, server)
	pass(t, from, to, 4<<20)
	if target := to.(*Stream).target; target != MinWindow {
		t.Errorf("window of %d", target)
	}
}

// A large write is not held up for ever by small ones, nor they by it.
func TestLargeAmongSmall(t *testing.T) {
	client, server := sessions(t, New(Config{FirstWindow: 1 << 20}), NewSocket)
	large, other := streams(t, client, server)
	go echo(server)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 100 {
		s, err := client.OpenStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer s.Close()
			for p := make([]byte, 2000); ; {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Write(p); err != nil {
					t.Error(err)
					return
				}
				if _, err := io.ReadFull(s, p); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	pass(t, large, other, 16<<20)
	close(stop)
	wg.Wait()
}

// However two sides end a stream, none of them keeps it or its memory.
func TestStreamsAreForgotten(t *testing.T) {
	const memory = 1 << 30
	a, b := tlsPair(t, NewSocket)
	scope := &boundedScope{left: memory}
	client, _ := New(Config{}).NewConn(a, false, scope)
	defer client.Close()
	server, _ := New(Config{}).NewConn(b, true, scope)
	defer server.Close()
	acts := map[string]func(network.MuxedStream){
		"close":       func(s network.MuxedStream) { _ = s.Close() },
		"close write": func(s network.MuxedStream) { _ = s.CloseWrite() },
		"close read":  func(s network.MuxedStream) { _ = s.CloseRead() },
		"reset":       func(s network.MuxedStream) { _ = s.Reset() },
		"write":       func(s network.MuxedStream) { _, _ = s.Write(make([]byte, 10000)) },
		"read":        func(s network.MuxedStream) { _, _ = s.Read(make([]byte, 1000)) },
	}
	names := []string{"close", "close write", "close read", "reset", "write", "read"}
	rapid.Check(t, func(rt *rapid.T) {
		from, to := streams(t, client, server)
		_ = from.SetReadDeadline(time.Now())
		_ = to.SetReadDeadline(time.Now())
		for _, name := range rapid.SliceOf(rapid.SampledFrom(names)).Draw(rt, "acts") {
			side := from
			if rapid.Bool().Draw(rt, "acceptor") {
				side = to
			}
			acts[name](side)
		}
		_, _ = from.Close(), to.Close()
	})
	eventually(t, "end of all streams", func() bool {
		return left(client)+left(server) == 0 && scope.remaining() == memory
	})
}

// A Read or Write that waits ends with what ends its direction.
func TestWaitsEnd(t *testing.T) {
	client, server := sessions(t, New(Config{}), NewSocket)
	for name, act := range map[string]struct {
		do   func(s, other network.MuxedStream) error
		want error
	}{
		"close read": {func(s, _ network.MuxedStream) error { return s.CloseRead() }, network.ErrReset},
		"close":      {func(s, _ network.MuxedStream) error { return s.Close() }, network.ErrReset},
		"reset":      {func(s, _ network.MuxedStream) error { return s.Reset() }, &network.StreamError{}},
		"end":        {func(_, o network.MuxedStream) error { return o.CloseWrite() }, io.EOF},
		"their reset": {func(_, o network.MuxedStream) error { return o.ResetWithError(4) },
			&network.StreamError{ErrorCode: 4, Remote: true}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := streams(t, client, server)
			ended := make(chan error)
			go func() { _, err := a.Read(make([]byte, 1)); ended <- err }()
			eventually(t, "waiting Read", func() bool {
				s := a.(*Stream)
				s.s.mu.Lock()
				defer s.s.mu.Unlock()
				return s.into != nil
			})
			if err := act.do(a, b); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; !errors.Is(err, act.want) {
				t.Errorf("%v, want %v", err, act.want)
			}
			_, _ = a.Close(), b.Close()
		})
	}
}

// What may be sent and what is held never exceed the window, however small the reads
// that wait for large frames.
func TestNothingIsGrantedTwice(t *testing.T) {
	client, server := sessions(t, New(Config{}), NewSocket)
	a, b := streams(t, client, server)
	st := b.(*Stream)
	defer func() { _ = a.Reset() }()
	go func() {
		for p := make([]byte, 7000); ; {
			if _, err := a.Write(p); err != nil {
				return
			}
		}
	}()
	for p := make([]byte, 100); ; {
		if _, err := st.Read(p); err != nil {
			t.Fatal(err)
		}
		st.s.mu.Lock()
		granted, held, target, since := st.granted, st.received.size, st.target, st.s.heard.Load()
		st.s.mu.Unlock()
		if granted+held > target {
			t.Fatalf("%d bytes may come and %d are held, of a window of %d", granted, held, target)
		}
		if since > 2000 {
			return
		}
	}
}
