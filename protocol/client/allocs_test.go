package client_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/p2pfaas/p2pfaas/protocol/client"
)

// TestAllocationsOfAnInvocation bounds what one small invocation takes of the
// memory, on both sides together and with the seven pieces that the caller and
// the function make here.
func TestAllocationsOfAnInvocation(t *testing.T) {
	const most = 26 // 19 but for the race detector, which has pools forget
	c := dial(t, client.Dialer{}, newNode(t, functions{"echo": benchEcho}))
	body, buf := make([]byte, 1<<10), make([]byte, 4<<10)
	got := testing.AllocsPerRun(500, func() {
		a, err := c.Invoke(t.Context(), &client.Request{
			Function: "echo",
			Header:   http.Header{"Content-Type": {"application/octet-stream"}},
			Body:     bytes.NewReader(body),
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, a.Body, buf); n != int64(len(body)) || err != nil {
			t.Fatalf("%d bytes of %d: %v", n, len(body), err)
		}
		_ = a.Body.Close()
	})
	if got > most {
		t.Errorf("%.0f allocations per invocation, want at most %d", got, most)
	}
	t.Logf("%.0f allocations per invocation", got)
}
