package node

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/sched"
)

func TestStalledSmallBodyHasADeadline(t *testing.T) {
	b := newBench(t, nil, runHere)
	s := httptest.NewServer(gateway.New(b.dispatcher, "a", "x"))
	defer s.Close()
	conn, _ := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	defer conn.Close()
	io.WriteString(conn, "POST /function/fn HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\nX-P2pfaas-Deadline: 200ms\r\n\r\nabc")
	conn.SetReadDeadline(time.Now().Add(4 * time.Second))
	if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
		t.Errorf("4 s after a deadline of 200 ms: %v; %d bytes of the replay budget held for 3 bytes", err, b.budget.used.Load())
	}
}

func TestMalformedChunkBlamesNobody(t *testing.T) {
	b := newBench(t, nil, forwardTo("b"), forwardTo("c"), sched.Decision{Action: sched.Refuse})
	b.dispatcher.client = uploadPeers{b.peers}
	s := httptest.NewServer(gateway.New(b.dispatcher, "a", "x"))
	defer s.Close()
	conn, _ := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	defer conn.Close()
	io.WriteString(conn, "PUT /function/fn HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n\r\n")
	conn.SetReadDeadline(time.Now().Add(4 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(resp.Status)
	for _, d := range b.mesh.done {
		if d.Result == mesh.Failed {
			t.Errorf("blamed: %+v", d)
		}
	}
	if len(b.peers.sent) != 1 {
		t.Errorf("sent to %d peers", len(b.peers.sent))
	}
}
