package stage

import "github.com/p2pfaas/p2pfaas/examples/bench/path"

// product are two nodes of one version of p2pfaas.
type product struct {
	*Stage
	before bool // the other version
}

// ways through the product, of the version that is measured or of the one before.
func ways(before bool) []Path {
	mark, title := "", "p2pfaas: "
	if before {
		mark, title = "-before", "p2pfaas before: "
	}
	way := func(name, what string, open func(product) (*Route, error)) Path {
		return Path{name + mark, title + what, true, func(s *Stage) (*Route, error) { return open(product{s, before}) }}
	}
	return []Path{
		way("sdk", "SDK, node", product.sdk),
		way("sdk-2", "SDK, node, node", product.sdkTwo),
		way("gateway", "HTTP, node", product.gateway),
		way("bridge", "HTTP, node, node", product.bridge),
	}
}

func (p product) sdk() (*Route, error) {
	b, err := p.nodeB()
	if err != nil {
		return nil, err
	}
	addr, err := p.away(b.node.addr)
	if err != nil {
		return nil, err
	}
	c, err := path.SDK(p.ctx, mesh, multiaddr(addr, b.node.peer), echo)
	if err != nil {
		return nil, err
	}
	return p.route(c, b), nil
}

func (p product) sdkTwo() (*Route, error) {
	a, b, err := p.nodes()
	if err != nil {
		return nil, err
	}
	c, err := path.SDK(p.ctx, mesh, multiaddr(a.node.addr, a.node.peer), echo)
	if err != nil {
		return nil, err
	}
	return p.route(c, a, b), nil
}

func (p product) gateway() (*Route, error) {
	b, err := p.nodeB()
	if err != nil {
		return nil, err
	}
	addr, err := p.away(b.Addr)
	if err != nil {
		return nil, err
	}
	return p.route(path.HTTP(functionURL(addr), nil, false), b), nil
}

func (p product) bridge() (*Route, error) {
	a, b, err := p.nodes()
	if err != nil {
		return nil, err
	}
	return p.route(path.HTTP(functionURL(a.Addr), nil, false), a, b), nil
}

func functionURL(addr string) string { return "http://" + addr + "/function/" + echo }
