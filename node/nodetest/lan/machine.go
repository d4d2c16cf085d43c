//go:build linux

package lan

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// Machine is a network namespace with a loopback and an eth0. Its default route
// leads to the network, where nobody answers for foreign addresses.
type Machine struct {
	// Name of the namespace, as ip netns knows it.
	Name string

	number int
	tap    *os.File

	mu sync.Mutex // guards ip
	ip string
}

// newMachine makes the namespace with number in its addresses.
func newMachine(name string, number int) (_ *Machine, err error) {
	m := &Machine{Name: name, number: number, ip: fmt.Sprintf("10.77.0.%d", number+1)}
	if err := ip("netns", "add", name); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = m.remove()
		}
	}()
	if err := inside(name, func() error { m.tap, err = openTAP(device); return err }); err != nil {
		return nil, err
	}
	return m, m.batch(
		"link set lo up",
		// Its own choice of a link-local address would not be usable for a second.
		"link set "+device+" addrgenmode none",
		fmt.Sprintf("link set %s address 02:77:00:00:00:%02x up", device, number+1),
		fmt.Sprintf("address add %s/24 dev %s", m.ip, device),
		fmt.Sprintf("address add %s/64 dev %s nodad", m.LinkLocal(), device),
		"route add default dev "+device,
	)
}

// device is the name of each machine's Ethernet device.
const device = "eth0"

// remove is safe to call for a machine half made.
func (m *Machine) remove() error {
	if m.tap != nil {
		_ = m.tap.Close() // which ends carry
	}
	return ip("netns", "del", m.Name)
}

// receive hands a frame to the machine. One that it does not take is lost, as on
// any network.
func (m *Machine) receive(frame []byte) { _, _ = m.tap.Write(frame) }

// IP is the machine's IPv4 address.
func (m *Machine) IP() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ip
}

// LinkLocal is the machine's IPv6 address on eth0, without zone. It stays.
func (m *Machine) LinkLocal() string { return fmt.Sprintf("fe80::77:%x", m.number+1) }

// ChangeIP takes the machine's IPv4 address away and gives it another of the same
// network, as a new lease does. Connections to the old one are not told.
func (m *Machine) ChangeIP() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := fmt.Sprintf("10.77.0.%d", m.number+1+maxMachines)
	if strings.HasSuffix(m.ip, fmt.Sprintf(".%d", m.number+1+maxMachines)) {
		next = fmt.Sprintf("10.77.0.%d", m.number+1)
	}
	err := m.batch(
		fmt.Sprintf("address del %s/24 dev %s", m.ip, device),
		fmt.Sprintf("address add %s/24 dev %s", next, device),
		"route replace default dev "+device,
	)
	if err != nil {
		return fmt.Errorf("change address of %s: %w", m.Name, err)
	}
	m.ip = next
	return nil
}

// Prefix is what to put before a command to run it on the machine.
func (m *Machine) Prefix() []string { return []string{"ip", "netns", "exec", m.Name} }

// Command is a command on the machine.
func (m *Machine) Command(name string, args ...string) *exec.Cmd {
	all := append(m.Prefix(), append([]string{name}, args...)...)
	return exec.Command(all[0], all[1:]...)
}

// Dial connects from the machine, as net.Dialer.DialContext does from this one.
// The address must be an IP address with a port.
func (m *Machine) Dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	failed := inside(m.Name, func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return err
	})
	return conn, failed
}

// Listen listens on the machine, as net.Listen does on this one.
func (m *Machine) Listen(network, addr string) (l net.Listener, err error) {
	failed := inside(m.Name, func() error {
		l, err = net.Listen(network, addr)
		return err
	})
	return l, failed
}

// ListenMulticast joins a group on one of the machine's devices, as
// net.ListenMulticastUDP does.
func (m *Machine) ListenMulticast(network, device string, group *net.UDPAddr) (c *net.UDPConn, err error) {
	failed := inside(m.Name, func() error {
		ifi, err := net.InterfaceByName(device)
		if err != nil {
			return err
		}
		c, err = net.ListenMulticastUDP(network, ifi, group)
		return err
	})
	return c, failed
}

// batch runs commands of the program ip on the machine.
func (m *Machine) batch(commands ...string) error {
	cmd := exec.Command("ip", "-n", m.Name, "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n"))
	return run(cmd)
}

func ip(args ...string) error { return run(exec.Command("ip", args...)) }

func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
