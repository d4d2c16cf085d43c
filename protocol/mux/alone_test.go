package mux

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// exchange is a message there and back on a stream that is echoed.
func exchange(t testing.TB, s network.MuxedStream, p []byte) {
	t.Helper()
	if _, err := s.Write(p); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(p))
	if _, err := io.ReadFull(s, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, p) {
		t.Fatal("other bytes came back")
	}
}

// lent tells to which stream receiving is lent, and whether it does.
func lent(s *Session) (st *Stream, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alone.stream, s.alone.busy
}

// aloneOn exchanges messages on s until it receives by itself.
func aloneOn(t testing.TB, s network.MuxedStream) {
	t.Helper()
	st := s.(*Stream)
	for range 4 * rarely {
		exchange(t, s, []byte("ping"))
		if by, _ := lent(st.s); by == st {
			return
		}
	}
	t.Fatal("it does not receive by itself")
}

// alonePair is a client's session whose streams are echoed.
func alonePair(t testing.TB, wrap func(net.Conn) net.Conn) network.MuxedConn {
	t.Helper()
	client, server := sessions(t, New(Config{}), wrap)
	go echo(server)
	return client
}

func open(t testing.TB, c network.MuxedConn) *Stream {
	t.Helper()
	s, err := c.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.(*Stream)
}

func TestAloneReceivesForItself(t *testing.T) {
	client := alonePair(t, NewSocket)
	s := open(t, client)
	aloneOn(t, s)
	eventually(t, "end of its turn once it is idle", func() bool { by, _ := lent(client.(*Session)); return by == nil })
	exchange(t, s, []byte("again"))
}

// Nobody looks after a connection on which nothing happens.
func TestAloneRests(t *testing.T) {
	client := alonePair(t, NewSocket)
	s := open(t, client)
	aloneOn(t, s)
	read := make(chan error, 1)
	go func() { _, err := io.ReadFull(s, make([]byte, 4)); read <- err }()
	eventually(t, "rest", func() bool {
		s.s.mu.Lock()
		defer s.s.mu.Unlock()
		return s.s.alone.rested
	})
	if _, err := s.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Fatal(err)
	}
	if by, _ := lent(s.s); by != nil {
		t.Error("it receives on, and nobody looks whether it does")
	}
	exchange(t, s, []byte("again"))
}

// What only flows in does not hold up others until its reader has had all.
func TestAloneOneWay(t *testing.T) {
	client, server := sessions(t, New(Config{}), NewSocket)
	s := open(t, client)
	peer, err := server.AcceptStream()
	if err != nil {
		t.Fatal(err)
	}
	for range 4 * rarely { // one frame after the other, until it receives by itself
		flow(t, peer, s)
		if by, _ := lent(s.s); by == s {
			break
		}
	}
	for range unanswered + 1 {
		flow(t, peer, s)
	}
	if by, _ := lent(s.s); by != nil {
		t.Errorf("it still receives after %d messages that it did not answer", unanswered+1)
	}
}

// flow is a message one way.
func flow(t testing.TB, from, to network.MuxedStream) {
	t.Helper()
	if _, err := from.Write([]byte("one")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
}

// Who no longer wants to receive, or keeps another waiting, gives back at once.
func TestAloneGivesBack(t *testing.T) {
	for name, f := range map[string]func(s, other *Stream){
		"closed":        func(s, _ *Stream) { _ = s.Close() },
		"reset":         func(s, _ *Stream) { _ = s.Reset() },
		"another reads": func(_, other *Stream) { go func() { _, _ = other.Read(make([]byte, 1)) }() }, // ends with the session
	} {
		t.Run(name, func(t *testing.T) {
			client := alonePair(t, NewSocket)
			s, other := open(t, client), open(t, client)
			aloneOn(t, s)
			f(s, other)
			eventually(t, "receiver for all", func() bool { by, _ := lent(s.s); return by == nil })
			exchange(t, open(t, client), []byte("on a third"))
		})
	}
}

// A connection that breaks off has the time that it was given for last words.
func TestAloneLastWords(t *testing.T) {
	client := alonePair(t, NewSocket)
	s := open(t, client)
	aloneOn(t, s)
	read := make(chan error, 1)
	go func() { _, err := s.Read(make([]byte, 10)); read <- err }()
	eventually(t, "waiting Read", func() bool { return parkedRead(s) })
	began := time.Now()
	s.s.mu.Lock()
	s.s.breakOff(io.ErrClosedPipe, lastWords)
	s.s.mu.Unlock()
	_ = s.SetReadDeadline(time.Unix(1, 0))
	<-read
	eventually(t, "end of the session", client.IsClosed)
	if took := time.Since(began); took < lastWords*9/10 {
		t.Errorf("it ended after %v, want %v", took, lastWords)
	}
}

// What is for another stream is not held up by the one that receives, whether it
// waits for more or does something else.
func TestAloneMakesWay(t *testing.T) {
	client := alonePair(t, NewSocket)
	first, other := open(t, client), open(t, client)
	exchange(t, other, []byte("ping"))
	for range 3 {
		aloneOn(t, first)
		exchange(t, other, []byte("while it does something else"))
		aloneOn(t, first)
		read := make(chan error, 1)
		go func() { _, err := io.ReadFull(first, make([]byte, 4)); read <- err }()
		eventually(t, "waiting Read", func() bool { return parkedRead(first) })
		exchange(t, other, []byte("while it waits"))
		if _, err := first.Write([]byte("pong")); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != nil {
			t.Fatal(err)
		}
	}
}

// parkedRead tells whether a Read waits.
func parkedRead(st *Stream) bool {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	return st.into != nil
}

// A large message comes through the goroutine that can keep it.
func TestAloneLargeMessage(t *testing.T) {
	s := open(t, alonePair(t, NewSocket))
	for _, size := range []int{1, readSize - headerSize, readSize, readSize + 1, 200 << 10} {
		aloneOn(t, s)
		p := make([]byte, size)
		for i := range p {
			p[i] = byte(i)
		}
		exchange(t, s, p)
	}
}

// Whatever ends a Read ends one that receives, and the connection lives on.
func TestAloneIsInterrupted(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(s *Stream)
		want error
	}{
		"deadline":      {func(s *Stream) { _ = s.SetReadDeadline(time.Now().Add(time.Millisecond)) }, os.ErrDeadlineExceeded},
		"past deadline": {func(s *Stream) { _ = s.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"reset":         {func(s *Stream) { _ = s.ResetWithError(7) }, network.ErrReset},
		"close":         {func(s *Stream) { _ = s.Close() }, network.ErrReset},
		"close read":    {func(s *Stream) { _ = s.CloseRead() }, network.ErrReset},
	} {
		t.Run(name, func(t *testing.T) {
			client := alonePair(t, NewSocket)
			s := open(t, client)
			aloneOn(t, s)
			read := make(chan error, 1)
			go func() { _, err := s.Read(make([]byte, 10)); read <- err }()
			eventually(t, "waiting Read", func() bool { return parkedRead(s) })
			c.end(s)
			if err := <-read; !errors.Is(err, c.want) {
				t.Errorf("Read: %v, want %v", err, c.want)
			}
			exchange(t, open(t, client), []byte("on another stream"))
			if errors.Is(c.want, os.ErrDeadlineExceeded) {
				_ = s.SetReadDeadline(time.Time{})
				exchange(t, s, []byte("and on this one"))
			}
		})
	}
}

// The session ends at once for who receives, from either side.
func TestAloneSessionEnds(t *testing.T) {
	for _, byPeer := range []bool{false, true} {
		client, server := sessions(t, New(Config{}), NewSocket)
		go echo(server)
		s := open(t, client)
		aloneOn(t, s)
		read := make(chan error, 1)
		go func() { _, err := s.Read(make([]byte, 10)); read <- err }()
		eventually(t, "waiting Read", func() bool { return parkedRead(s) })
		if byPeer {
			_ = server.Close()
		} else {
			_ = client.Close()
		}
		if err := <-read; !errors.Is(err, network.ErrReset) {
			t.Errorf("by the peer %t: %v, want a reset", byPeer, err)
		}
		eventually(t, "end of the session", client.IsClosed)
	}
}

// dribble sends byte by byte once it is on.
type dribble struct {
	net.Conn
	on atomic.Bool
}

func (d *dribble) Write(p []byte) (int, error) {
	if !d.on.Load() {
		return d.Conn.Write(p)
	}
	for i := range p {
		if _, err := d.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
		time.Sleep(20 * time.Microsecond)
	}
	return len(p), nil
}

// A Read that is interrupted in the middle of a frame, and of a record of TLS,
// loses nothing.
func TestAloneInterruptedWithinAFrame(t *testing.T) {
	var slow *dribble
	client, server := sessions(t, New(Config{}), func(c net.Conn) net.Conn {
		if slow == nil { // the server's
			slow = &dribble{Conn: c}
			return slow
		}
		return NewSocket(c)
	})
	go echo(server)
	s := open(t, client)
	aloneOn(t, s)
	slow.on.Store(true)
	p := bytes.Repeat([]byte("0123456789"), 30)
	if _, err := s.Write(p); err != nil {
		t.Fatal(err)
	}
	var got []byte
	interrupted := 0
	for len(got) < len(p) {
		_ = s.SetReadDeadline(time.Now().Add(300 * time.Microsecond))
		b := make([]byte, 100)
		n, err := s.Read(b)
		got = append(got, b[:n]...)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			interrupted++
		case err != nil:
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, p) || interrupted == 0 {
		t.Errorf("%d interruptions; got %q", interrupted, got)
	}
}

// Streams come and go, alone and not, interrupted and not: each gets its own bytes.
func TestAloneAmongOthers(t *testing.T) {
	client := alonePair(t, NewSocket)
	var wg sync.WaitGroup
	for seed := range uint64(4) {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 0))
			s := open(t, client)
			for range 15 {
				if rnd.IntN(8) == 0 {
					_ = s.Reset()
					s = open(t, client)
				}
				for range rnd.IntN(40) {
					if rnd.IntN(10) == 0 {
						impatient(s)
					}
					exchange(t, s, make([]byte, 1+rnd.IntN(3000)))
				}
				time.Sleep(time.Duration(rnd.IntN(int(20 * time.Millisecond))))
			}
		})
	}
	wg.Wait()
}

// impatient waits for nothing, in vain.
func impatient(s *Stream) {
	_ = s.SetReadDeadline(time.Now().Add(50 * time.Microsecond))
	_, _ = s.Read(make([]byte, 1))
	_ = s.SetReadDeadline(time.Time{})
}
