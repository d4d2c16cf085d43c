package gateway

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestConnAfterSlowRest(t *testing.T) {
	ctxs := make(chan error, 4)
	url := serve(t, func(ctx context.Context, r *invoke.Request, _ Options) (*invoke.Answer, error) {
		ctxs <- ctx.Err()
		return answer(200, "early"), nil
	})
	conn, _ := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	r := bufio.NewReader(conn)
	io.WriteString(conn, "POST /function/fn HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	<-ctxs
	time.Sleep(drainTime + 300*time.Millisecond)
	io.WriteString(conn, strings.Repeat("x", 100000-3))
	io.WriteString(conn, "GET /function/fn HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Log("second:", err)
		return
	}
	if err := <-ctxs; err != nil {
		t.Errorf("the next request on the connection is born cancelled: %v", err)
	}
}
