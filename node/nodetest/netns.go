//go:build linux

package nodetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// LAN is a network of its own: namespaces joined by a bridge, which lives in a
// namespace too, where no packet filter of this machine touches it.
type LAN struct {
	t      testing.TB
	prefix string
	bridge string // name of the bridge's namespace
	hosts  []*Netns
}

// Netns is one machine of a LAN.
type Netns struct {
	Name string
	IP   string
	lan  *LAN
}

// NewLAN makes an empty network 10.77.0.0/24. It needs root and iproute2: see
// [Need]. It is gone when the test ends.
func NewLAN(t testing.TB) *LAN {
	t.Helper()
	l := &LAN{t: t, prefix: fmt.Sprintf("p2pf-%06x", rand.Uint32()&0xffffff)}
	l.bridge = l.prefix + "-br"
	l.ip("netns", "add", l.bridge)
	t.Cleanup(func() { l.try("netns", "del", l.bridge) })
	l.ip("-n", l.bridge, "link", "add", "br0", "type", "bridge")
	l.ip("-n", l.bridge, "link", "set", "br0", "up")
	return l
}

// Host adds a machine.
func (l *LAN) Host() *Netns {
	l.t.Helper()
	number := len(l.hosts) + 1
	n := &Netns{lan: l, Name: fmt.Sprintf("%s-%d", l.prefix, number), IP: fmt.Sprintf("10.77.0.%d", number)}
	port := fmt.Sprintf("p%d", number)
	l.ip("netns", "add", n.Name)
	l.t.Cleanup(func() { l.try("netns", "del", n.Name) })
	l.ip("-n", n.Name, "link", "set", "lo", "up")
	l.ip("-n", l.bridge, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", n.Name)
	l.ip("-n", l.bridge, "link", "set", port, "master", "br0", "up")
	l.ip("-n", n.Name, "addr", "add", n.IP+"/24", "dev", "eth0")
	l.ip("-n", n.Name, "link", "set", "eth0", "up")
	l.ip("-n", n.Name, "route", "add", "default", "dev", "eth0")
	l.hosts = append(l.hosts, n)
	return n
}

// Hosts are the machines so far.
func (l *LAN) Hosts() []*Netns { return l.hosts }

// Prefix is what to put before a command to run it on that machine.
func (n *Netns) Prefix() []string { return []string{"ip", "netns", "exec", n.Name} }

// Command is a command on that machine.
func (n *Netns) Command(name string, args ...string) *exec.Cmd {
	all := append(n.Prefix(), append([]string{name}, args...)...)
	return exec.Command(all[0], all[1:]...)
}

// Dial connects from that machine, as net.Dialer.DialContext does from this one.
func (n *Netns) Dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() { // ends once connected, and its thread with it: it is in the namespace
		defer close(done)
		runtime.LockOSThread()
		if err = n.enter(); err == nil {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		}
	}()
	<-done
	return conn, err
}

func (n *Netns) enter() error {
	file, err := os.Open("/var/run/netns/" + n.Name)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
}

func (l *LAN) ip(args ...string) {
	l.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (l *LAN) try(args ...string) { _ = exec.Command("ip", args...).Run() }
