package socket_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/socket"
)

// Whatever the sizes, what is written arrives in order and whole.
func TestReadsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := pair(t)
		sizes := rapid.SliceOfN(rapid.IntRange(0, 200_000), 1, 8).Draw(rt, "sizes")
		room := rapid.IntRange(1, 100_000).Draw(rt, "room")
		var sent, got bytes.Buffer
		for i, n := range sizes {
			sent.Write(bytes.Repeat([]byte{byte(i + 1)}, n))
		}
		go func() { // ends with the connection at the latest
			rest := sent.Bytes()
			for len(rest) > 0 {
				n, err := a.TryWrite(rest)
				if err != nil {
					break
				}
				if rest = rest[n:]; n == 0 {
					time.Sleep(100 * time.Microsecond) // the reader is slower
				}
			}
			_ = a.Close()
		}()
		if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{b}, make([]byte, room)); err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(sent.Bytes(), got.Bytes()) {
			rt.Fatalf("%d bytes arrived of %d, or others", got.Len(), sent.Len())
		}
	})
}

func TestReadEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(here, there *socket.Conn)
		want error
	}{
		{"closed there", func(_, there *socket.Conn) { _ = there.Close() }, io.EOF},
		{"closed here", func(here, _ *socket.Conn) { _ = here.Close() }, net.ErrClosed},
		{"too late", func(here, _ *socket.Conn) { _ = here.SetReadDeadline(time.Now()) }, os.ErrDeadlineExceeded},
	}
	for _, tt := range tests {
		for name, read := range map[string]func(*socket.Conn) error{"read": readOne, "ask": askOne} {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				a, b := pair(t)
				ended := make(chan error)
				go func() { ended <- read(a) }() // ends with the read
				if name == "ask" {
					_ = readOne(b) // it has been asked, and waits
				}
				tt.end(a, b)
				if err := <-ended; !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
			})
		}
	}
}

func readOne(c *socket.Conn) error {
	_, err := c.Read(make([]byte, 1))
	return err
}

func askOne(c *socket.Conn) error {
	sent, _, err := c.Ask([]byte("?"), make([]byte, 1))
	if sent != 1 {
		return errors.Join(err, errors.New("not asked"))
	}
	return err
}

func TestErrorsAreThoseOfNet(t *testing.T) {
	a, b := pair(t)
	_ = b.Conn.(*net.TCPConn).SetLinger(0)
	_ = b.Close()
	var reset *net.OpError
	if err := readOne(a); !errors.As(err, &reset) || reset.Op != "read" || reset.Source.String() != a.LocalAddr().String() {
		t.Errorf("after a reset a read says %v", err)
	}
	if n, err := a.TryWrite([]byte("x")); n != 0 || !errors.As(err, &reset) || reset.Op != "write" {
		t.Errorf("after a reset a write says %d, %v", n, err)
	}
}

func TestOfOthers(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if s := socket.Of(a); s != nil {
		t.Error("a pipe within the process is not the operating system's")
	}
}

func TestAllocatesNothing(t *testing.T) {
	a, b := pair(t)
	p := make([]byte, 1000)
	n := testing.AllocsPerRun(100, func() {
		if _, err := a.TryWrite(p); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Read(p); n == 0 || err != nil {
			t.Fatal(n, err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations for a write and a read", n)
	}
}

// pair is a connection's two ends.
func pair(t *testing.T) (a, b *socket.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	a, b = socket.Of(dialled), socket.Of(accepted)
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}
