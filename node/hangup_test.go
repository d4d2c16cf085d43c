package node_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// An HTTP client that hangs up ends its call, through any number of nodes.
func TestClientHangsUp(t *testing.T) {
	began, ended := make(chan struct{}, 1), make(chan struct{}, 1)
	function := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path != "/endless" {
			return
		}
		began <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	}))
	t.Cleanup(function.Close)
	runs := startNode(t)
	deploy(t, runs, strings.TrimPrefix(function.URL, "http://"))
	forwards := startNode(t, runs.Ready().Addrs...)
	for name, entry := range map[string]*node.Node{"where it runs": runs, "at a neighbour": forwards} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", entry.Ready().HTTP)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			callUntilServed(t, conn)
			send(conn, "/endless")
			receive(t, "the call", began)
			_ = conn.Close()
			receive(t, "its end", ended)
		})
	}
}

func send(to io.Writer, path string) {
	fmt.Fprintf(to, "POST /function/echo%s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", path)
}

// callUntilServed waits until the mesh knows the function; the connection is a
// used one then.
func callUntilServed(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(nodetest.Patience))
	answers := bufio.NewReader(conn)
	for status := 0; status != http.StatusOK; {
		send(conn, "/")
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if status = resp.StatusCode; status != http.StatusOK {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func receive(t *testing.T, what string, from <-chan struct{}) {
	t.Helper()
	select {
	case <-from:
	case <-time.After(nodetest.Patience):
		t.Fatalf("%s: not within %v", what, nodetest.Patience)
	}
}
