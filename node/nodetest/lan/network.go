//go:build linux

package lan

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxMachines is what the addresses 10.77.0.0/24 allow with one spare for each.
const maxMachines = 100

// Network is a switch and the machines that are plugged into it. Its methods
// may be called from several goroutines.
type Network struct {
	prefix string
	wake   chan struct{} // one value: what is due first has changed
	quit   chan struct{}
	wg     sync.WaitGroup

	adding sync.Mutex // one machine is made at a time

	mu     sync.Mutex // guards what follows; not held across I/O
	fabric fabric
	ports  []*Machine // by number
	closed bool
}

// Open makes a network without machines. It first clears away what programs
// that died have left behind.
func Open() (*Network, error) {
	if err := clearLeftovers(); err != nil {
		return nil, fmt.Errorf("clear away networks of dead processes: %w", err)
	}
	n := &Network{prefix: newPrefix(), wake: make(chan struct{}, 1), quit: make(chan struct{})}
	n.wg.Go(n.deliver)
	return n, nil
}

// ErrClosed: the network has been closed.
var ErrClosed = errors.New("the network is closed")

// Machine adds a machine: 10.77.0.1, 10.77.0.2, … with the prefix length 24, and a
// link-local IPv6 address. It can be used at once.
func (n *Network) Machine() (*Machine, error) {
	n.adding.Lock()
	defer n.adding.Unlock()
	number, err := n.next()
	if err != nil {
		return nil, err
	}
	m, err := newMachine(fmt.Sprintf("%s-%d", n.prefix, number+1), number)
	if err != nil {
		return nil, fmt.Errorf("make machine %d: %w", number+1, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, errors.Join(ErrClosed, m.remove())
	}
	n.fabric.plug()
	n.ports = append(n.ports, m)
	n.wg.Go(func() { n.carry(m) })
	return m, nil
}

func (n *Network) next() (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return 0, ErrClosed
	}
	if len(n.ports) == maxMachines {
		return 0, fmt.Errorf("the network has %d machines, which is all that it can have", maxMachines)
	}
	return len(n.ports), nil
}

// Machines are those added so far, in their order.
func (n *Network) Machines() []*Machine {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*Machine(nil), n.ports...)
}

// Close removes the machines. It is idempotent.
func (n *Network) Close() error {
	n.mu.Lock()
	first := !n.closed
	n.closed = true
	ports := n.ports
	n.mu.Unlock()
	var failed []error
	if first {
		close(n.quit)
		for _, m := range ports {
			failed = append(failed, m.remove())
		}
	}
	n.wg.Wait()
	return errors.Join(failed...)
}

// carry takes the frames that m sends, until its device is closed.
func (n *Network) carry(m *Machine) {
	buf := make([]byte, maxFrame)
	var direct []*Machine
	for {
		size, err := m.tap.Read(buf)
		if err != nil {
			return
		}
		direct = n.route(m.number, buf[:size], direct[:0])
		for _, to := range direct {
			to.receive(buf[:size])
		}
	}
}

// route puts a frame into the queues of the links that delay it, and appends to
// direct the machines that get it now.
func (n *Network) route(from int, frame []byte, direct []*Machine) []*Machine {
	n.mu.Lock()
	earlier := n.fabric.nextDue()
	for _, to := range n.fabric.route(from, frame, time.Now()) {
		direct = append(direct, n.ports[to])
	}
	rouse := n.fabric.nextDue() != earlier
	n.mu.Unlock()
	if rouse {
		select {
		case n.wake <- struct{}{}:
		default:
		}
	}
	return direct
}

// deliver hands over delayed frames when they are due. It ends with Close.
func (n *Network) deliver() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := n.deliverDue()
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-n.wake:
		case <-n.quit:
			return
		}
	}
}

// deliverDue returns how long there is nothing to do.
func (n *Network) deliverDue() time.Duration {
	for {
		n.mu.Lock()
		d, wait := n.fabric.pop(time.Now())
		if d == nil {
			n.mu.Unlock()
			return wait
		}
		to, passes := n.ports[d.to], n.fabric.arrives(d)
		n.mu.Unlock()
		if passes {
			to.receive(d.frame)
		}
		n.mu.Lock()
		n.fabric.delivered(d)
		n.mu.Unlock()
	}
}
