//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/node/nodetest/lan"
)

// fleet is nodes on machines of one network.
type fleet struct {
	t      *testing.T
	net    *nodetest.Network
	ledger ledger
	sites  []*site
}

// site is a machine with a node. Its function runs beside the node, in the
// test's process, so that what it has counted survives whatever the node
// suffers.
type site struct {
	fleet   *fleet
	number  int
	machine *lan.Machine
	data    string
	flags   []string
	node    *nodetest.Process
	client  http.Client
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	nodetest.Need(t, nodetest.NetNS, nodetest.TUN)
	return &fleet{t: t, net: nodetest.NewNetwork(t), ledger: ledger{runs: make(map[string][]int)}}
}

// machines adds n, on which nothing runs but the function.
func (f *fleet) machines(n int, flags ...string) []*site {
	f.t.Helper()
	for range n {
		m := f.net.Machine()
		s := &site{fleet: f, number: len(f.sites) + 1, machine: m, flags: flags}
		s.data = filepath.Join(f.t.TempDir(), "data")
		transport := &http.Transport{DialContext: m.Dial, MaxIdleConnsPerHost: 64}
		s.client = http.Client{Transport: transport, Timeout: nodetest.Patience}
		f.t.Cleanup(transport.CloseIdleConnections)
		s.serveFunction()
		f.sites = append(f.sites, s)
	}
	return f.sites[len(f.sites)-n:]
}

// nodes adds n machines and starts a node on each.
func (f *fleet) nodes(n int, flags ...string) []*site {
	f.t.Helper()
	added := f.machines(n, flags...)
	for _, s := range added {
		s.start()
	}
	return added
}

// start starts the site's node, again with what it kept.
func (s *site) start() {
	s.fleet.t.Helper()
	s.node = nodetest.Start(s.fleet.t, nodetest.Spec{Program: program, Data: s.data, In: s.machine, Flags: s.flags})
	s.client.CloseIdleConnections()
}

// The function listens here on each machine, and is deployed under two names:
// an invocation of one may run twice, of the other not.
const (
	functionAddr = "127.0.0.1:9000"
	repeatable   = "repeatable"
	once         = "once"
	serviceTime  = 50 * time.Millisecond
)

// serveFunction notes each call in the ledger before it does anything.
func (s *site) serveFunction() {
	l, err := s.machine.Listen("tcp", functionAddr)
	if err != nil {
		s.fleet.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fleet.ledger.note(r.Header.Get("X-Call-Id"), s.number)
		select {
		case <-time.After(serviceTime):
		case <-r.Context().Done():
		}
		fmt.Fprint(w, s.number)
	})}
	ended := make(chan struct{})
	go func() { // ends with Close
		defer close(ended)
		_ = server.Serve(l)
	}()
	s.fleet.t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
}

// deploy deploys the function under a name on this site's node.
func (s *site) deploy(name string) {
	s.fleet.t.Helper()
	args := []string{"deploy", name, "--image", "http://" + functionAddr, "--weight", "1", "--data", s.data}
	if name == repeatable {
		args = append(args, "--idempotent")
	}
	if out, err := s.machine.Command(program, args...).CombinedOutput(); err != nil {
		s.fleet.t.Fatalf("deploy on machine %d: %v\n%s", s.number, err, out)
	}
}
