package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node"
	"github.com/p2pfaas/p2pfaas/protocol/client"
)

// BenchmarkCall is one call of 1 KB through real nodes over loopback, entered
// through the SDK and over HTTP, at the node that runs the function ("here") and
// at its neighbour ("forward"). The function and the HTTP client allocate
// nothing: what is counted is the nodes', and the SDK's.
func BenchmarkCall(b *testing.B) {
	runs := startNode(b)
	deploy(b, runs, echoServer(b))
	forwards := startNode(b, runs.Ready().Addrs...)
	for _, way := range []struct {
		name  string
		entry func(*testing.B) exchange
	}{
		{"sdk/here", bySDK(b, runs)},
		{"sdk/forward", bySDK(b, forwards)},
		{"http/here", byHTTP(runs)},
		{"http/forward", byHTTP(forwards)},
	} {
		for _, atOnce := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/clients=%d", way.name, atOnce), func(b *testing.B) { share(b, atOnce, way.entry) })
		}
	}
}

// bodySize is that of requests and answers.
const bodySize = 1024

// exchange makes one call.
type exchange func() error

// share has so many clients share b.N calls.
func share(b *testing.B, atOnce int, entry func(*testing.B) exchange) {
	work, ended := make(chan struct{}, atOnce), make(chan error, atOnce)
	for range atOnce {
		call := entry(b)
		answers(b, call)
		go func() {
			var err error
			for range work {
				if err == nil {
					err = call()
				}
			}
			ended <- err
		}()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	for range atOnce {
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}

// answers waits until the mesh knows the function.
func answers(b *testing.B, call exchange) {
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = call(); err == nil {
			return
		}
	}
	b.Fatal(err)
}

func startNode(b testing.TB, bootstrap ...string) *node.Node {
	b.Helper()
	c := node.Default()
	c.DataDir, c.HTTP, c.Auth, c.MDNS = b.TempDir(), "127.0.0.1:0", node.AuthNone, false
	c.Listen, c.Bootstrap, c.OpenFaaSURL = []string{"/ip4/127.0.0.1/tcp/0"}, bootstrap, node.OpenFaaSNone
	n, err := node.New(c)
	if err != nil {
		b.Fatal(err)
	}
	if err := n.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = n.Close() })
	return n
}

// deploy deploys what serves at addr as "echo", light enough for all clients to be
// served at once.
func deploy(b testing.TB, n *node.Node, addr string) {
	spec := fmt.Sprintf(`{"service":"echo","image":"http://%s","annotations":{"p2pfaas.weight":"0.02"}}`, addr)
	resp, err := http.Post("http://"+n.Ready().HTTP+"/system/functions", "application/json", strings.NewReader(spec))
	if err != nil {
		b.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		b.Fatal(resp.Status)
	}
}

// bySDK makes exchanges that share a client, as those of one program do.
func bySDK(b *testing.B, n *node.Node) func(*testing.B) exchange {
	c, err := client.Dial(b.Context(), n.Ready().Addrs...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return func(*testing.B) exchange {
		body, in := bytes.NewReader(make([]byte, bodySize)), make([]byte, bodySize)
		request := &client.Request{Function: "echo", Body: body, Size: bodySize}
		return func() error {
			_, _ = body.Seek(0, io.SeekStart)
			a, err := c.Invoke(context.Background(), request)
			if err != nil {
				return err
			}
			defer a.Body.Close()
			if _, err := io.ReadFull(a.Body, in); err != nil || a.Status != http.StatusOK {
				return fmt.Errorf("status %d, then %w", a.Status, err)
			}
			return nil
		}
	}
}

// byHTTP makes exchanges over a connection each.
func byHTTP(n *node.Node) func(*testing.B) exchange {
	addr := n.Ready().HTTP
	out := fmt.Appendf(nil, "POST /function/echo HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", addr, bodySize)
	out = append(out, make([]byte, bodySize)...)
	return func(b *testing.B) exchange {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		in := make([]byte, 8<<10)
		return func() error {
			if _, err := conn.Write(out); err != nil {
				return err
			}
			head, err := readMessage(conn, in)
			if err == nil && !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) {
				err = errors.New(string(head))
			}
			return err
		}
	}
}

// readMessage reads an HTTP message with a body of bodySize, or one that says
// otherwise, into in.
func readMessage(r io.Reader, in []byte) (head []byte, err error) {
	for have, end := 0, -1; end < 0 || have < end; {
		n, err := r.Read(in[have:])
		if err != nil {
			return nil, err
		}
		have += n
		if at := bytes.Index(in[:have], []byte("\r\n\r\n")); end < 0 && at >= 0 {
			head, end = in[:at], at+4+bodySize
			if !bytes.Contains(head, []byte("Content-Length: 1024")) {
				end = 0
			}
		}
	}
	return head, nil
}

// echoServer answers with as many bytes as it got.
func echoServer(b *testing.B) (addr string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
	return listener.Addr().String()
}

// echo ends with its connection.
func echo(conn net.Conn) {
	defer conn.Close()
	out := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\nContent-Length: %d\r\n\r\n", bodySize)
	out = append(out, make([]byte, bodySize)...)
	in := make([]byte, 8<<10)
	for {
		if _, err := readMessage(conn, in); err != nil {
			return
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}
