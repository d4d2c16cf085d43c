package socket_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/socket"
)

func TestAsk(t *testing.T) {
	a, b := pair(t)
	go func() { _, _ = io.Copy(b.Conn, b) }() // ends with the connection
	answer := make([]byte, 10)
	for range 1000 {
		if !a.Quiet() {
			t.Fatal("not quiet between two questions")
		}
		sent, got, err := a.Ask([]byte("well?"), answer)
		if sent != 5 || err != nil {
			t.Fatal(sent, got, err)
		}
		if _, err := io.ReadFull(a, answer[got:5]); err != nil || string(answer[:5]) != "well?" {
			t.Fatalf("%q, %v", answer[:5], err)
		}
	}
}

// Nothing is asked of who has gone, or speaks unasked.
func TestAskOfTheUnquiet(t *testing.T) {
	for name, speak := range map[string]func(c *socket.Conn){
		"closed": func(c *socket.Conn) { _ = c.Close() },
		"reset":  func(c *socket.Conn) { _ = c.Conn.(*net.TCPConn).SetLinger(0); _ = c.Close() },
		"spoken": func(c *socket.Conn) { _, _ = c.Write([]byte("hello")) },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			speak(b)
			for end := time.Now().Add(10 * time.Second); a.Quiet() && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			sent, got, err := a.Ask([]byte("?"), make([]byte, 1))
			if sent != 0 || got != 0 || !errors.Is(err, socket.ErrNotQuiet) {
				t.Errorf("%d sent, %d got, %v", sent, got, err)
			}
		})
	}
}

// What the kernel does not take is not waited for: the other side may have to read
// before it can answer.
func TestAskMuch(t *testing.T) {
	a, _ := pair(t)
	much := make([]byte, 64<<20)
	sent, got, err := a.Ask(much, make([]byte, 1))
	if sent == 0 || sent == len(much) || got != 0 || err != nil {
		t.Errorf("%d sent, %d got, %v", sent, got, err)
	}
}
