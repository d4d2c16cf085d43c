package process

import (
	"net"
	"sync"
)

// Ports hands out free loopback ports, no port twice: between the choice of a
// port and the moment that its process listens, another function must not be
// taken for that process. One Ports serves all groups of a runtime.
type Ports struct {
	mu    sync.Mutex // guards taken
	taken map[int]bool
}

// NewPorts returns a Ports of which nothing is taken.
func NewPorts() *Ports { return &Ports{taken: make(map[int]bool)} }

func (p *Ports) take() (int, error) {
	for {
		port, err := freePort()
		if err != nil || p.claim(port) {
			return port, err
		}
	}
}

func (p *Ports) claim(port int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[port] {
		return false
	}
	p.taken[port] = true
	return true
}

func (p *Ports) give(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, port)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
