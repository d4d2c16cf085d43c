package plainhttp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"time"
)

// handedPair is a connection that net/http would serve, of which head was read
// already, and its client.
func handedPair(t *testing.T, head string) (*handed, io.ReadWriteCloser) {
	l := listen(t)
	defer l.Close()
	client := dial(t, l.Addr().String())
	tcp, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	return newHanded(tcp, []byte(head)), client
}

// A deadline holds for the reads that come after it, and for one under way.
func TestReadDeadlineOfAHandedConn(t *testing.T) {
	c, client := handedPair(t, "")
	past, b := time.Unix(1, 0), make([]byte, 1)
	for _, set := range []func(time.Time) error{c.SetReadDeadline, c.SetDeadline} {
		_ = set(past)
		if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read after its deadline: %v", err)
		}
		_ = set(time.Time{})
		_, _ = client.Write(b)
		if n, err := c.Read(b); n != 1 || err != nil {
			t.Errorf("a read without deadline: %d bytes, %v", n, err)
		}
		ended := make(chan error)
		go func() { _, err := c.Read(b); ended <- err }()
		eventually(t, "the read", c.isReading)
		_ = set(past)
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read under way: %v", err)
		}
	}
	if c.Gone() {
		t.Error("a client is gone because a deadline passed")
	}
}

func (c *handed) isReading() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limits.reading
}

// What was read before comes first, however it is read.
func TestHandedHead(t *testing.T) {
	for name, readAll := range map[string]func(c *handed) (string, error){
		"read":     func(c *handed) (string, error) { b, err := io.ReadAll(c); return string(b), err },
		"write to": func(c *handed) (string, error) { var b bytes.Buffer; _, err := c.WriteTo(&b); return b.String(), err },
	} {
		t.Run(name, func(t *testing.T) {
			c, client := handedPair(t, "read before, ")
			_, _ = io.WriteString(client, "read now")
			_ = client.Close()
			if got, err := readAll(c); got != "read before, read now" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// Who asks for an upgrade gets the connection, with all that came behind the request.
func TestUpgrade(t *testing.T) {
	_, addr := serve(t, quiet(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
		_, _ = io.Copy(conn, buffered)
	})))
	conn := dial(t, addr)
	much := bytes.Repeat([]byte("raw"), 20<<10)
	go func() { // ends with the connection
		_, _ = io.WriteString(conn, "GET /function/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
		_, _ = conn.Write(much)
		_ = conn.CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if !bytes.HasSuffix(got, much) || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
