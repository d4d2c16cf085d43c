package hop

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// httpServer is a role that speaks HTTP.
type httpServer struct {
	listener net.Listener
	server   *http.Server
	after    func() // once closed
}

// serveHTTP listens on a port of loopback.
func serveHTTP(h http.Handler, conf *tls.Config, after func()) (server, error) {
	l, err := listen()
	if err != nil {
		return nil, err
	}
	quiet := log.New(io.Discard, "", 0)
	s := &httpServer{listener: l, server: &http.Server{Handler: h, TLSConfig: conf.Clone(), ErrorLog: quiet}, after: after}
	s.server.Protocols = new(http.Protocols)
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetHTTP2(true)
	s.server.Protocols.SetUnencryptedHTTP2(true)
	s.server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1024}
	go func() { // ends with Close
		if conf != nil {
			_ = s.server.ServeTLS(l, "", "")
		} else {
			_ = s.server.Serve(l)
		}
	}()
	return s, nil
}

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

func (s *httpServer) Addr() string { return s.listener.Addr().String() }

func (s *httpServer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.server.Shutdown(ctx) // what still hangs is closed next
	err := s.server.Close()
	s.after()
	return err
}
