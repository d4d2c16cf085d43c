//go:build linux

package lan_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/node/nodetest/lan"
)

func newNetwork(t *testing.T) *nodetest.Network {
	t.Helper()
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN)
	return nodetest.NewNetwork(t)
}

// echoes serves on a machine, until the test ends, what comes back as it came.
func echoes(t *testing.T, m *lan.Machine) {
	t.Helper()
	l, err := m.Listen("tcp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, end := context.WithCancel(context.Background())
	all.Go(func() { // ends when the listener is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { _ = c.Close() })
			all.Go(func() { _, _ = io.Copy(c, c) })
		}
	})
	t.Cleanup(func() {
		end()
		_ = l.Close()
		all.Wait()
	})
}

func dial(t *testing.T, from *lan.Machine, addr string) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), nodetest.Patience)
	defer cancel()
	c, err := from.Dial(ctx, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ping sends one number and waits for it to come back.
func ping(c net.Conn, number uint64, patience time.Duration) (time.Duration, error) {
	began := time.Now()
	if err := c.SetDeadline(began.Add(patience)); err != nil {
		return 0, err
	}
	if err := binary.Write(c, binary.BigEndian, number); err != nil {
		return 0, err
	}
	for {
		var got uint64
		if err := binary.Read(c, binary.BigEndian, &got); err != nil {
			return 0, err
		}
		if got == number { // else it is one that was waited for in vain
			return time.Since(began), nil
		}
	}
}

func TestMachinesTalk(t *testing.T) {
	n := newNetwork(t)
	a, b := n.Machine(), n.Machine()
	echoes(t, b)
	for _, addr := range []string{b.IP() + ":7", fmt.Sprintf("[%s%%%d]:7", b.LinkLocal(), index(t, a))} {
		rtt, err := ping(dial(t, a, addr), 1, nodetest.Patience)
		t.Logf("%s answers in %v", addr, rtt)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

// index is the number of the machine's Ethernet device.
func index(t *testing.T, m *lan.Machine) (number int) {
	t.Helper()
	out, err := m.Command("cat", "/sys/class/net/eth0/ifindex").Output()
	if err == nil {
		_, err = fmt.Sscan(string(out), &number)
	}
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func TestMulticastReachesAll(t *testing.T) {
	n := newNetwork(t)
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}
	var heard []net.PacketConn
	for range 3 {
		m := n.Machine()
		c, err := m.ListenMulticast("udp4", "eth0", group)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		heard = append(heard, c)
	}
	if _, err := heard[0].WriteTo([]byte("who is there"), group); err != nil {
		t.Fatal(err)
	}
	for i, c := range heard[1:] {
		buf := make([]byte, 100)
		_ = c.SetReadDeadline(time.Now().Add(nodetest.Patience))
		size, from, err := c.ReadFrom(buf)
		if err != nil || string(buf[:size]) != "who is there" {
			t.Errorf("machine %d heard %q, %v", i+2, buf[:size], err)
		}
		t.Logf("machine %d heard it from %v", i+2, from)
	}
}

func TestDelayIsOneWay(t *testing.T) {
	n := newNetwork(t)
	a, b, c := n.Machine(), n.Machine(), n.Machine()
	echoes(t, b)
	echoes(t, c)
	far, near := dial(t, a, b.IP()+":7"), dial(t, a, c.IP()+":7")
	median := func(conn net.Conn) time.Duration {
		var took []time.Duration
		for i := range 11 {
			rtt, err := ping(conn, uint64(i), nodetest.Patience)
			if err != nil {
				t.Fatal(err)
			}
			took = append(took, rtt)
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	t.Logf("without delay: median RTT %v", median(far))
	for _, d := range []time.Duration{3 * time.Millisecond, 50 * time.Millisecond} {
		n.Delay(a, b, d)
		rtt := median(far)
		t.Logf("%v each way: median RTT %v, undelayed pair %v", d, rtt, median(near))
		if rtt < 2*d || rtt > 2*d+100*time.Millisecond {
			t.Errorf("RTT %v with %v each way", rtt, d)
		}
	}
	if rtt := median(near); rtt > 50*time.Millisecond {
		t.Errorf("the pair that is not delayed has an RTT of %v", rtt)
	}
}

func TestCutIsSilentAndHeals(t *testing.T) {
	n := newNetwork(t)
	a, b := n.Machine(), n.Machine()
	echoes(t, b)
	c := dial(t, a, b.IP()+":7")
	for i, sever := range []func(){
		func() { n.Cut(a, b) },
		func() { n.Unplug(b) },
		func() { n.Partition([]*lan.Machine{a}, []*lan.Machine{b}) },
	} {
		if _, err := ping(c, uint64(10*i), nodetest.Patience); err != nil {
			t.Fatalf("before: %v", err)
		}
		sever()
		if rtt, err := ping(c, uint64(10*i+1), 300*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("severed: answered in %v, %v; want silence", rtt, err)
		}
		if out, _ := b.Command("cat", "/sys/class/net/eth0/carrier").Output(); strings.TrimSpace(string(out)) != "1" {
			t.Errorf("severed: carrier %q, want 1", out)
		}
		n.Heal()
		rtt, err := ping(c, uint64(10*i+2), nodetest.Patience)
		if err != nil {
			t.Fatalf("healed: %v", err)
		}
		t.Logf("the same connection answers %v after it healed", rtt)
	}
	if got := n.Counts(); got.Blocked == 0 {
		t.Errorf("%+v", got)
	}
}

func TestLossIsRepairedByTCP(t *testing.T) {
	n := newNetwork(t)
	a, b := n.Machine(), n.Machine()
	echoes(t, b)
	c := dial(t, a, b.IP()+":7")
	n.Drop(a, b, 0.05)
	for i := range 50 {
		if _, err := ping(c, uint64(i), nodetest.Patience); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.Counts(); got.Lost == 0 {
		t.Errorf("%+v: nothing was lost", got)
	}
}

func TestChangeIP(t *testing.T) {
	n := newNetwork(t)
	a, b := n.Machine(), n.Machine()
	echoes(t, b)
	was := b.IP()
	for range 2 {
		old := b.IP()
		if err := b.ChangeIP(); err != nil {
			t.Fatal(err)
		}
		if b.IP() == old {
			t.Errorf("still %s", old)
		}
		if _, err := ping(dial(t, a, b.IP()+":7"), 1, nodetest.Patience); err != nil {
			t.Errorf("at the new address: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if c, err := a.Dial(ctx, "tcp", old+":7"); err == nil {
			_ = c.Close()
			t.Errorf("%s still answers", old)
		}
		cancel()
	}
	if b.IP() != was {
		t.Errorf("%s after two changes, want %s again", b.IP(), was)
	}
}

func TestThroughput(t *testing.T) {
	n := newNetwork(t)
	a, b := n.Machine(), n.Machine()
	echoes(t, b)
	for _, d := range []time.Duration{0, 2 * time.Millisecond} {
		n.Delay(a, b, d)
		bulk(t, n, dial(t, a, b.IP()+":7"), d)
	}
}

func bulk(t *testing.T, n *nodetest.Network, c net.Conn, d time.Duration) {
	t.Helper()
	const total = 64 << 20
	before, began := n.Counts(), time.Now()
	go func() { // ends when all is written
		chunk := make([]byte, 64<<10)
		for range total / len(chunk) {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	}()
	if _, err := io.CopyN(io.Discard, c, total); err != nil {
		t.Fatal(err)
	}
	took, after := time.Since(began), n.Counts()
	t.Logf("%v each way: %.0f MB/s in each direction, %.0f frames/s, %d dropped by a full link", d,
		total/1e6/took.Seconds(), float64(after.Carried-before.Carried)/took.Seconds(), after.Full-before.Full)
}

// TestKilledOwner is run again, as another process that dies with a network in use.
func TestKilledOwner(t *testing.T) {
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN)
	if os.Getenv("LAN_TEST_DIE") != "" {
		dieWithNetwork(t)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledOwner$")
	cmd.Env = append(os.Environ(), "LAN_TEST_DIE=1")
	out, err := cmd.Output()
	if err == nil {
		t.Fatalf("the other process did not die: %s", out)
	}
	name, sleeper, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if _, err := os.Stat("/var/run/netns/" + name); err != nil {
		t.Fatalf("%q left no namespace: this tests nothing: %v", out, err)
	}
	nodetest.NewNetwork(t)
	if _, err := os.Stat("/var/run/netns/" + name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the namespace %s is still there: %v", name, err)
	}
	nodetest.Eventually(t, "what ran there has ended", func() error {
		state, err := os.ReadFile("/proc/" + sleeper + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return nil
		}
		return errors.New(string(state))
	})
}

func dieWithNetwork(t *testing.T) {
	n, err := lan.Open()
	if err != nil {
		t.Fatal(err)
	}
	m, err := n.Machine()
	if err != nil {
		t.Fatal(err)
	}
	cmd := m.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Println(m.Name, cmd.Process.Pid)
	self, _ := os.FindProcess(os.Getpid())
	_ = self.Kill()
	select {}
}

func TestClosedNetwork(t *testing.T) {
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN)
	n, err := lan.Open()
	if err != nil {
		t.Fatal(err)
	}
	m, err := n.Machine()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := n.Machine(); !errors.Is(err, lan.ErrClosed) {
		t.Errorf("a machine of a closed network: %v", err)
	}
	if _, err := os.Stat("/var/run/netns/" + m.Name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its namespace: %v", err)
	}
}
