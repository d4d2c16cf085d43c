package hop

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mirror sends back what it gets.
func mirror(t *testing.T) string {
	t.Helper()
	l, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // ends with l
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

func TestRelay(t *testing.T) {
	const delay = 20 * time.Millisecond
	r, err := newRelay(Setting{To: mirror(t), Delay: delay})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	began := time.Now()
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i, least := range []time.Duration{4 * delay, 2 * delay} { // with a handshake, and without
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < least {
			t.Errorf("turn %d took %v, want at least %v", i, took, least)
		}
		began = time.Now()
	}
	sent := bytes.Repeat([]byte("0123456789"), 1<<18)
	go func() { // ends when all is written
		_, _ = conn.Write(sent)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes of %d: %v", len(got), len(sent), err)
	}
}

func TestUnknownRole(t *testing.T) {
	if err := Run(t.Context(), "king", Setting{}, &bytes.Buffer{}, io.Discard); err == nil {
		t.Error("played")
	}
}
