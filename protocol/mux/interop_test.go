package mux

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"pgregory.net/rapid"
)

// plan is what one stream does.
type plan struct {
	Up, Down []int // sizes of the writes of the opener and of the acceptor
	Buffer   int   // of the readers
	Reset    bool  // the opener ends by a reset instead of an end
}

func (p plan) code(i int) network.StreamErrorCode { return network.StreamErrorCode(0x5000 + i) }

var plans = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) plan {
	size := rapid.OneOf(rapid.IntRange(0, 2000), rapid.IntRange(0, 20000), rapid.IntRange(60000, 70000), rapid.IntRange(0, 300000))
	return plan{
		Up:     rapid.SliceOfN(size, 0, 6).Draw(t, "up"),
		Down:   rapid.SliceOfN(size, 0, 6).Draw(t, "down"),
		Buffer: rapid.OneOf(rapid.IntRange(100, 5000), rapid.IntRange(1, 100000)).Draw(t, "buffer"),
		Reset:  rapid.IntRange(0, 3).Draw(t, "reset") == 0,
	}
}), 1, 6)

// Whatever is written on many streams at once arrives, in order and once, and
// each stream ends as its writer ended it.
func TestBytesArrive(t *testing.T) {
	for name, m := range pairings() {
		wrap := NewSocket
		if name == "direct-direct" {
			wrap = narrow
		}
		t.Run(name, func(t *testing.T) {
			client, server := sessions(t, m, wrap)
			rapid.Check(t, func(rt *rapid.T) {
				list := plans.Draw(rt, "plans")
				from, to := client, server
				if rapid.Bool().Draw(rt, "by server") {
					from, to = server, client
				}
				if err := run(t, from, to, list); err != nil {
					rt.Fatal(err)
				}
			})
			eventually(t, "end of all streams, and nothing left to send", func() bool { return left(client)+left(server) == 0 })
		})
	}
}

// left counts what c still has to do; the library does not tell.
func left(c network.MuxedConn) int {
	s, ours := c.(*Session)
	if !ours {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sending {
		return 1
	}
	return len(s.streams) + len(s.out) + len(s.line) + len(s.opening)
}

func run(t testing.TB, from, to network.MuxedConn, list []plan) error {
	var wg sync.WaitGroup
	errs := make(chan error, 4*len(list))
	do := func(what string, i int, f func() error) {
		wg.Go(func() {
			if err := f(); err != nil {
				errs <- fmt.Errorf("stream %d, %s: %w", i, what, err)
			}
		})
	}
	for i, p := range list {
		a, b := streams(t, from, to)
		do("opener writes", i, func() error {
			err := write(a, i, p.Up)
			if err == nil && p.Reset {
				return a.ResetWithError(p.code(i))
			}
			return errors.Join(err, a.CloseWrite())
		})
		do("acceptor reads", i, func() error {
			if p.Reset {
				return readReset(b, i, sum(p.Up), p)
			}
			return read(b, i, sum(p.Up), p.Buffer)
		})
		do("acceptor writes", i, func() error {
			err := write(b, i, p.Down)
			if end := b.CloseWrite(); !p.Reset { // of a reset stream the library's is its own
				return errors.Join(err, end)
			}
			if errors.Is(err, network.ErrReset) {
				return nil
			}
			return err
		})
		do("opener reads", i, func() error {
			err := read(a, i, sum(p.Down), p.Buffer)
			if p.Reset && errors.Is(err, network.ErrReset) {
				return nil
			}
			return err
		})
		defer b.Close()
		defer a.Close()
	}
	wg.Wait()
	close(errs)
	return errors.Join(<-errs, <-errs)
}

func sum(sizes []int) (n int) {
	for _, s := range sizes {
		n += s
	}
	return n
}

// noise is what all streams carry over and over, each from another beginning. Its
// length is a prime: no frame or buffer fits into it.
var noise = func() []byte {
	p := make([]byte, 65537)
	rand.NewChaCha8([32]byte{}).Read(p) //nolint:errcheck // has none
	return p
}()

// fill is what stream i carries from at on.
func fill(p []byte, i, at int) {
	for at += 9973 * i; len(p) > 0; {
		n := copy(p, noise[at%len(noise):])
		p, at = p[n:], at+n
	}
}

func write(s network.MuxedStream, i int, sizes []int) error {
	at := 0
	for _, size := range sizes {
		p := make([]byte, size)
		fill(p, i, at)
		at += size
		n, err := s.Write(p)
		clear(p) // a Write that has returned must not need it
		if err != nil {
			return err
		}
		if n != size {
			return fmt.Errorf("write of %d bytes without error: %d", size, n)
		}
	}
	return nil
}

// read expects size bytes and an end.
func read(s network.MuxedStream, i, size, buffer int) error {
	at, err := readAll(s, i, buffer)
	if err != io.EOF {
		return fmt.Errorf("after %d of %d bytes: %w", at, size, err)
	}
	if at != size {
		return fmt.Errorf("%d bytes, want %d", at, size)
	}
	return nil
}

// readReset expects size bytes at most, and the reset of the opener.
func readReset(s network.MuxedStream, i, size int, p plan) error {
	at, err := readAll(s, i, p.Buffer)
	var se *network.StreamError
	if at > size || !errors.As(err, &se) || se.ErrorCode != p.code(i) || !se.Remote || !errors.Is(err, network.ErrReset) {
		return fmt.Errorf("after %d of %d bytes: %w, want a reset with %#x", at, size, err, p.code(i))
	}
	return nil
}

func readAll(s network.MuxedStream, i, buffer int) (at int, err error) {
	p, want := make([]byte, buffer), make([]byte, buffer)
	for {
		n, err := s.Read(p)
		fill(want[:n], i, at)
		if !bytes.Equal(p[:n], want[:n]) {
			return at, fmt.Errorf("wrong byte within %d from %d", n, at)
		}
		at += n
		if err != nil {
			return at, err
		}
	}
}

// Two sessions that both write much on many streams, and read late, come to an end.
func TestBothWriteMuch(t *testing.T) {
	for name, m := range pairings() {
		t.Run(name, func(t *testing.T) {
			client, server := sessions(t, m, NewSocket)
			var list []plan
			for range 8 {
				list = append(list, plan{Up: []int{3 << 20}, Down: []int{3 << 20}, Buffer: 30000})
			}
			if err := run(t, client, server, list); err != nil {
				t.Fatal(err)
			}
		})
	}
}
