package hop

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// bufferSize is that of the copies and of the connections' buffers.
const bufferSize = 64 << 10

// newProxy is net/http/httputil's ReverseProxy.
func newProxy(s Setting) (server, error) {
	scheme := "http"
	if s.NextTLS {
		scheme = "https"
	}
	via := transport(s.TLS)
	p := &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: scheme, Host: s.To}) },
		Transport:  via,
		BufferPool: &buffers{},
		ErrorLog:   log.New(io.Discard, "", 0),
	}
	listenWith := s.TLS
	if s.NextTLS {
		listenWith = nil // the first of two
	}
	return serveHTTP(p, listenWith, via.CloseIdleConnections)
}

// transport calls the next over kept connections.
func transport(trust *tls.Config) *http.Transport {
	return &http.Transport{
		MaxIdleConns:        0,
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     5 * time.Minute,
		DisableCompression:  true,
		WriteBufferSize:     bufferSize,
		ReadBufferSize:      bufferSize,
		TLSClientConfig:     trust.Clone(), // each transport adds its protocols
	}
}

// buffers is a pool for ReverseProxy.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if kept, ok := b.pool.Get().(*[]byte); ok {
		return *kept
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(buf []byte) { b.pool.Put(&buf) }
