package stage

import (
	"github.com/p2pfaas/p2pfaas/examples/bench/path"
)

// Base is the path that the others are compared with.
const Base = "proxy"

// Path is a way from a client to the function.
type Path struct {
	Name    string
	Title   string
	Product bool // it may not lose a call
	open    func(*Stage) (*Route, error)
}

// Paths are all that can be measured, in the order in which they are shown. With
// before there are two versions of the product.
func Paths(before bool) []Path {
	all := append(rivals(), ways(false)...)
	if before {
		all = append(all, ways(true)...)
	}
	return all
}

func rivals() []Path {
	return []Path{
		{"direct", "the function itself, HTTP/1.1", false, direct},
		{"frames", "raw TLS frames and a lean call: the floor", false, frames},
		{Base, "ReverseProxy, HTTP/1.1: the base", false, proxied{name: Base}.open},
		{"proxy-tls", "ReverseProxy, HTTPS/1.1", false, proxied{name: "proxy-tls", tls: true}.open},
		{"proxy-h2c", "ReverseProxy, HTTP/2 without TLS", false, proxied{name: "proxy-h2c", http2: true}.open},
		{"proxy-h2", "ReverseProxy, HTTPS/2", false, proxied{name: "proxy-h2", tls: true, http2: true}.open},
		{"grpc", "gRPC over TLS, unary", false, grpcUnary},
		{"grpc-stream", "gRPC over TLS, a stream for each call", false, grpcStream},
		{"nats", "NATS request and reply, without TLS", false, nats},
		{"p2pfaas-style", "two probes, then base64 in JSON; new connections", false, forward},
		{"two-proxies", "two ReverseProxies, HTTP/1.1", false, twoProxies},
		{"proxy+proxy-tls", "two ReverseProxies, HTTPS/1.1 between them", false, twoProxiesTLS},
	}
}

// Open makes a path ready on a stage.
func (p Path) Open(s *Stage) (*Route, error) { return p.open(s) }

func (s *Stage) route(c path.Client, hops ...Part) *Route {
	return &Route{Client: c, stage: s, hops: hops}
}

func direct(s *Stage) (*Route, error) {
	f, err := s.Function()
	if err != nil {
		return nil, err
	}
	addr, err := s.away(f.Addr)
	if err != nil {
		return nil, err
	}
	return s.route(path.HTTP("http://"+addr, nil, false)), nil
}

// hop starts a rival before the function and gives the address to call it at.
func (s *Stage) hop(name, role string, flags ...string) (Part, string, error) {
	f, err := s.Function()
	if err != nil {
		return Part{}, "", err
	}
	p, err := s.role(name, role, f.Addr, flags...)
	if err != nil {
		return Part{}, "", err
	}
	addr, err := s.away(p.Addr)
	return p, addr, err
}

func frames(s *Stage) (*Route, error) {
	p, addr, err := s.hop("frames", "frames", s.withTLS()...)
	if err != nil {
		return nil, err
	}
	return s.route(path.Frames(addr, s.Trust()), p), nil
}
