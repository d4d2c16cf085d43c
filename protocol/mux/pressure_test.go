package mux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// deaf is a session whose other side is a connection that nobody reads.
func deaf(t testing.TB, cfg Config, wrap func(net.Conn) net.Conn) *Session {
	t.Helper()
	a, b := tcpPair(t)
	_ = a.(*net.TCPConn).SetWriteBuffer(64 << 10)
	_ = b.(*net.TCPConn).SetReadBuffer(64 << 10)
	m, err := New(cfg).NewConn(wrap(a), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	s := m.(*Session)
	return s
}

func openWide(t testing.TB, s *Session) *Stream {
	t.Helper()
	m, err := s.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	st := m.(*Stream)
	s.mu.Lock()
	defer s.mu.Unlock()
	st.window = 1 << 30 // as if the other side had granted it: the connection is what is full
	return st
}

var wraps = map[string]func(net.Conn) net.Conn{
	"socket": NewSocket,
	"plain":  func(c net.Conn) net.Conn { return c },
}

// Towards a peer that does not read, what is held is bounded, and every call
// ends as it should: by its deadline, its stream's reset, or the session's close.
func TestPeerThatDoesNotRead(t *testing.T) {
	for name, wrap := range wraps {
		for _, size := range []int{1000, 10 << 20} {
			t.Run(name, func(t *testing.T) { testDeaf(t, deaf(t, Config{}, wrap), size) })
		}
	}
}

func testDeaf(t *testing.T, s *Session, size int) {
	p := make([]byte, size)
	writeUntilError := func(st *Stream, ended chan<- error) {
		for {
			if _, err := st.Write(p); err != nil {
				ended <- err
				return
			}
		}
	}
	timed, reset, closed, left := openWide(t, s), openWide(t, s), openWide(t, s), openWide(t, s)
	_ = timed.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	begun := time.Now()
	ended := make(chan error, 1)
	for what, act := range map[string]struct {
		st   *Stream
		do   func()
		want error
	}{
		"deadline":    {timed, func() {}, os.ErrDeadlineExceeded},
		"reset":       {reset, func() { _ = reset.ResetWithError(3) }, &network.StreamError{ErrorCode: 3}},
		"close write": {closed, func() { _ = closed.CloseWrite() }, ErrStreamClosed},
	} {
		go writeUntilError(act.st, ended)
		eventually(t, "back-pressure", func() bool { return parked(act.st) || what == "deadline" })
		act.do()
		if err := <-ended; !errors.Is(err, act.want) {
			t.Errorf("%s: %v, want %v", what, err, act.want)
		}
	}
	if held := s.unsent(); held > maxOut+maxUnsent {
		t.Errorf("%d bytes are held", held)
	}
	go writeUntilError(left, ended)
	eventually(t, "back-pressure", func() bool { return parked(left) })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, &network.ConnError{}) {
		t.Errorf("close: %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("all that took %v", took)
	}
}

func parked(st *Stream) bool {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	return st.parked
}

func (s *Session) unsent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.out)
	if s.socket != nil && s.socket.mu.TryLock() { // else it is within a write
		n += len(s.socket.rest)
		s.socket.mu.Unlock()
	}
	return n
}

// The connection ends once nothing moves any more, or pings are not answered.
func TestDeadPeer(t *testing.T) {
	cfg := Config{KeepAlive: 20 * time.Millisecond, Timeout: 50 * time.Millisecond}
	for name, wrap := range wraps {
		t.Run(name, func(t *testing.T) {
			s := deaf(t, cfg, wrap)
			st := openWide(t, s)
			_, err := st.Write(make([]byte, 64<<20))
			if !errors.Is(err, network.ErrReset) || !(errors.Is(err, ErrWriteTimeout) || errors.Is(err, ErrKeepAlive)) {
				t.Errorf("Write ended with %v", err)
			}
			idle := deaf(t, cfg, wrap)
			if _, err := idle.AcceptStream(); !errors.Is(err, ErrKeepAlive) {
				t.Errorf("an idle session ended with %v", err)
			}
		})
	}
}

// A peer that lets us answer and answer, and reads nothing, is cut off.
func TestFlood(t *testing.T) {
	for name, wrap := range wraps {
		t.Run(name, func(t *testing.T) {
			a, b := tcpPair(t)
			_ = b.(*net.TCPConn).SetWriteBuffer(4 << 10)
			m, err := New(Config{}).NewConn(wrap(b), true, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			var flood []byte
			for i := range uint32(2000) { // beyond the backlog each is reset
				flood = appendHeader(flood, header{kind: kindPing, flags: flagSYN, length: i})
				flood = appendHeader(flood, header{kind: kindWindow, flags: flagSYN, id: 2*i + 1})
			}
			for err = nil; err == nil; {
				_, err = a.Write(flood)
				if held := m.(*Session).unsent(); held > 2*maxControl+maxUnsent {
					t.Fatalf("%d bytes are held", held)
				}
			}
		})
	}
}

func TestOpenStreamWaits(t *testing.T) {
	s := deaf(t, Config{}, NewSocket)
	for range backlog {
		openWide(t, s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.OpenStream(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one more: %v", err)
	}
	_ = s.Close()
	if _, err := s.OpenStream(t.Context()); !errors.Is(err, &network.ConnError{}) {
		t.Errorf("after Close: %v", err)
	}
}

// While one stream's reader sleeps, another's is served.
func TestStreamsDoNotHoldEachOther(t *testing.T) {
	client, server := sessions(t, New(Config{}), NewSocket)
	slow, sleeping := streams(t, client, server)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = slow.Write(make([]byte, 4<<20)) })
	a, b := streams(t, client, server)
	wg.Go(func() { _, _ = a.Write(make([]byte, 4<<20)); _ = a.Close() })
	if n, err := io.Copy(io.Discard, b); n != 4<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n, err := io.ReadFull(sleeping, make([]byte, 4<<20)); err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	wg.Wait()
}

// What is written before Close is sent.
func TestCloseSendsWhatWaits(t *testing.T) {
	for name, wrap := range wraps {
		t.Run(name, func(t *testing.T) {
			a, b := tlsPair(t, wrap)
			from, _ := New(Config{}).NewConn(a, false, nil)
			to, _ := New(Config{}).NewConn(b, true, nil)
			defer to.Close()
			out, in := streams(t, from, to)
			want := bytes.Repeat([]byte("last words"), 1000)
			if _, err := out.Write(want); err != nil {
				t.Fatal(err)
			}
			if err := from.Close(); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(want))
			if _, err := io.ReadFull(in, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read: %v", err)
			}
		})
	}
}

// A connection that breaks ends all calls of both sides.
func TestBrokenConnection(t *testing.T) {
	for name, wrap := range wraps {
		t.Run(name, func(t *testing.T) {
			a, b := tcpPair(t)
			m, err := New(Config{}).NewConn(wrap(a), false, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			s, err := m.OpenStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			read := make(chan error)
			go func() { _, err := s.Read(make([]byte, 1)); read <- err }()
			_ = b.Close()
			if err := <-read; !errors.Is(err, network.ErrReset) {
				t.Errorf("Read: %v", err)
			}
			if _, err := s.Write([]byte{1}); !errors.Is(err, network.ErrReset) {
				t.Errorf("Write: %v", err)
			}
			if _, err := m.AcceptStream(); err == nil || !m.IsClosed() {
				t.Errorf("AcceptStream: %v", err)
			}
		})
	}
}
