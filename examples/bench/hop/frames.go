package hop

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/p2pfaas/p2pfaas/examples/bench/frame"
	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
)

// frames is the floor: one call at a time on a kept TLS connection, each way a
// length and the bytes, and the product's own lean call to the function.
type frames struct {
	listener net.Listener
	function *httpcall.Client
	to       string

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func newFrames(s Setting) (server, error) {
	l, err := listen()
	if err != nil {
		return nil, err
	}
	conf := httpcall.Default()
	conf.MaxIdle = 1024
	f := &frames{listener: tls.NewListener(l, s.TLS), function: httpcall.New(s.To, conf), to: s.To, conns: map[net.Conn]struct{}{}}
	go f.accept() // ends with Close
	return f, nil
}

func (f *frames) Addr() string { return f.listener.Addr().String() }

func (f *frames) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns[conn] = struct{}{}
		f.mu.Unlock()
		go f.serve(conn) // ends with the connection
	}
}

func (f *frames) serve(conn net.Conn) {
	defer func() {
		f.mu.Lock()
		delete(f.conns, conn)
		f.mu.Unlock()
		_ = conn.Close()
	}()
	r, w := frame.NewReader(conn), frame.NewWriter(conn)
	for {
		size, err := r.Next()
		if err != nil {
			return
		}
		if err := f.call(r, size, w); err != nil {
			return
		}
	}
}

func (f *frames) call(r *frame.Reader, size int64, w *frame.Writer) error {
	resp, err := f.function.Do(context.Background(), &faas.Request{Method: http.MethodPost, Path: "/", Host: f.to, Body: r, Size: size}, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.Status != http.StatusOK || resp.Size < 0 {
		return fmt.Errorf("status %d, size %d", resp.Status, resp.Size)
	}
	if err := w.Send(resp.Size, resp.Body); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r) // nothing, if the function read it all
	return err
}

func (f *frames) Close() error {
	err := f.listener.Close()
	f.mu.Lock()
	for conn := range f.conns {
		_ = conn.Close()
	}
	f.mu.Unlock()
	return err
}
