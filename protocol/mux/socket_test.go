package mux

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whether it waits or not, a Socket sends everything in order; and if it does
// not, a peer that does not read holds up nobody.
func TestSocket(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := tcpPair(t)
		defer b.Close()
		s := narrow(a).(*Socket)
		defer s.Close()
		s.beHasty()
		var sent bytes.Buffer
		for _, n := range rapid.SliceOfN(rapid.IntRange(1, 100_000), 1, 10).Draw(rt, "sizes") {
			p := make([]byte, n)
			fill(p, 0, sent.Len())
			if m, err := s.Write(p); m != n || err != nil {
				rt.Fatalf("write of %d: %d, %v", n, m, err)
			}
			sent.Write(p)
		}
		got := make(chan []byte)
		go func() {
			all, _ := io.ReadAll(b)
			got <- all
		}()
		if err := s.wait(); err != nil || !s.clear() {
			rt.Fatalf("wait: %v", err)
		}
		if _, err := s.Write([]byte("end")); err != nil {
			rt.Fatal(err)
		}
		sent.WriteString("end")
		if err := a.(*net.TCPConn).CloseWrite(); err != nil {
			rt.Fatal(err)
		}
		if all := <-got; !bytes.Equal(all, sent.Bytes()) {
			rt.Fatalf("%d bytes arrived of %d, or in another order", len(all), sent.Len())
		}
	})
}

func TestSocketIsBounded(t *testing.T) {
	a, _ := tcpPair(t)
	s := narrow(a).(*Socket)
	s.beHasty()
	var err error
	for range 10_000 {
		if _, err = s.Write(make([]byte, 1000)); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("10 MB are held")
	}
}

func TestSocketTellsOfTheEnd(t *testing.T) {
	a, b := tcpPair(t)
	s := NewSocket(a).(*Socket)
	s.beHasty()
	_ = b.(*net.TCPConn).SetLinger(0)
	_ = b.Close()
	var err error
	for end := time.Now().Add(limit); err == nil && time.Now().Before(end); {
		_, err = s.Write([]byte{1})
	}
	if _, is := err.(*net.OpError); !is { //nolint:errorlint // as TCP's own
		t.Errorf("error %v", err)
	}
}
