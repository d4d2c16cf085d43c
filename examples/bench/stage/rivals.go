package stage

import (
	"crypto/tls"

	"github.com/p2pfaas/p2pfaas/examples/bench/path"
)

// proxied is a way through one ReverseProxy.
type proxied struct {
	name       string
	tls, http2 bool
}

func (w proxied) open(s *Stage) (*Route, error) {
	flags, scheme, trust := []string(nil), "http://", (*tls.Config)(nil)
	if w.tls {
		flags, scheme, trust = s.withTLS(), "https://", s.Trust()
	}
	p, addr, err := s.hop(w.name, "proxy", flags...)
	if err != nil {
		return nil, err
	}
	return s.route(path.HTTP(scheme+addr, trust, w.http2), p), nil
}

func twoProxies(s *Stage) (*Route, error) {
	second, addr, err := s.hop(Base, "proxy")
	if err != nil {
		return nil, err
	}
	return s.before(second, addr)
}

func twoProxiesTLS(s *Stage) (*Route, error) {
	second, addr, err := s.hop("proxy-tls", "proxy", s.withTLS()...)
	if err != nil {
		return nil, err
	}
	return s.before(second, addr, append(s.withTLS(), "-next-tls")...)
}

// before puts a proxy before another one at addr.
func (s *Stage) before(second Part, addr string, flags ...string) (*Route, error) {
	first, err := s.role("proxy to "+addr, "proxy", addr, flags...)
	if err != nil {
		return nil, err
	}
	return s.route(path.HTTP("http://"+first.Addr, nil, false), first, second), nil
}

func grpcUnary(s *Stage) (*Route, error)  { return s.grpc(false) }
func grpcStream(s *Stage) (*Route, error) { return s.grpc(true) }

func (s *Stage) grpc(stream bool) (*Route, error) {
	p, addr, err := s.hop("grpc", "grpc", s.withTLS()...)
	if err != nil {
		return nil, err
	}
	c, err := path.GRPC(addr, s.Trust(), stream)
	if err != nil {
		return nil, err
	}
	return s.route(c, p), nil
}

func forward(s *Stage) (*Route, error) {
	p, addr, err := s.hop("forward", "forward")
	if err != nil {
		return nil, err
	}
	return s.route(path.Forward(addr), p), nil
}

// nats is through a broker, at the client's distance, to a node beside it.
func nats(s *Stage) (*Route, error) {
	function, err := s.Function()
	if err != nil {
		return nil, err
	}
	broker, err := s.broker()
	if err != nil {
		return nil, err
	}
	node, err := s.role("nats", "nats", broker.Addr, "-through", function.Addr)
	if err != nil {
		return nil, err
	}
	addr, err := s.away(broker.Addr)
	if err != nil {
		return nil, err
	}
	c, err := path.NATS(addr)
	if err != nil {
		return nil, err
	}
	r := s.route(c, broker, node)
	r.quiet = true // the broker
	return r, nil
}
