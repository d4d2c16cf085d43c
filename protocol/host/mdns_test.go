package host

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
	"github.com/multiformats/go-multiaddr"
)

func TestAnnouncement(t *testing.T) {
	id := somePeer(t, 0).ID
	for _, c := range []struct {
		name, want string
		addrs      []string
	}{
		{"the local network only", "10.0.0.1 fd00::1", []string{
			"/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/10.0.0.1/udp/1/quic-v1", "/ip4/8.8.8.8/tcp/1",
			"/ip6/fd00::1/tcp/1", "/ip6/2001:4860::1/tcp/1"}},
		{"loopback if there is nothing else", "127.0.0.1", []string{"/ip4/127.0.0.1/tcp/1", "/ip4/8.8.8.8/tcp/1"}},
		{"nothing", "", []string{"/ip4/8.8.8.8/tcp/1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var addrs []multiaddr.Multiaddr
			for _, a := range c.addrs {
				addrs = append(addrs, multiaddr.StringCast(a))
			}
			texts, ips := announcement(id, addrs)
			if got := join(ips); got != c.want {
				t.Errorf("addresses %s, want %s", got, c.want)
			}
			infos := parseAnnouncement(texts)
			switch {
			case c.want == "" && len(infos) == 0:
			case len(infos) != 1 || infos[0].ID != id || len(infos[0].Addrs) != len(texts):
				t.Errorf("read back: %v", infos)
			}
		})
	}
}

func join(list []string) (s string) {
	for i, w := range list {
		if i > 0 {
			s += " "
		}
		s += w
	}
	return s
}

func TestParseAnnouncementDropsNonsense(t *testing.T) {
	good := mdnsText + "/ip4/10.0.0.1/tcp/1/p2p/" + someID
	got := parseAnnouncement([]string{"", "x=1", mdnsText, mdnsText + "/ip4/10.0.0.1", mdnsText + "/ip4/8.8.8.8/tcp/1/p2p/" + someID,
		mdnsText + "/dns4/evil.example/tcp/1/p2p/" + someID})
	if len(got) != 0 {
		t.Errorf("from nonsense: %v", got)
	}
	if diff := cmp.Diff(1, len(parseAnnouncement(slices.Repeat([]string{good}, 1000)))); diff != "" {
		t.Errorf("peers (-want +got):\n%s", diff)
	}
}

// multicast skips where mDNS cannot work, as in a namespace with loopback only.
func multicast(t *testing.T) {
	t.Helper()
	ifaces, _ := net.Interfaces()
	usable := slices.ContainsFunc(ifaces, func(i net.Interface) bool {
		addrs, _ := i.Addrs()
		return i.Flags&net.FlagUp != 0 && i.Flags&net.FlagMulticast != 0 && i.Flags&net.FlagLoopback == 0 && len(addrs) > 0
	})
	if testing.Short() || !usable {
		t.Skip("no multicast interface")
	}
}

// lanConfig listens on all interfaces, as mDNS announces no others.
func lanConfig(t *testing.T, mesh string) Config {
	cfg := testConfig(t)
	cfg.MDNS, cfg.Mesh, cfg.Listen, cfg.Port = true, mesh, nil, -1
	return cfg
}

func TestFoundByMDNS(t *testing.T) {
	multicast(t)
	mesh := "test-" + instanceName()[:8]
	ha, _ := startHost(t, lanConfig(t, mesh))
	other, ro := startHost(t, lanConfig(t, mesh+"x"))
	begun := time.Now()
	hb, _ := startHost(t, lanConfig(t, mesh))
	client := lanConfig(t, mesh)
	client.Client = true
	hc, _ := startHost(t, client)
	eventually(t, "a sees b", isMember(ha, hb.ID()))
	eventually(t, "b sees a", isMember(hb, ha.ID()))
	t.Logf("two nodes saw each other after %v", time.Since(begun))
	eventually(t, "the client sees a", isMember(hc, ha.ID()))
	eventually(t, "the client sees b", isMember(hc, hb.ID()))
	if m, _ := ha.Access().Member(hc.ID()); m.Role.String() != "client" {
		t.Errorf("the client is %+v", m)
	}
	if n, _ := ro.about(ha.ID()); n != 0 || isMember(other, hb.ID())() {
		t.Error("a host of another mesh was found")
	}
}

type notified chan peer.AddrInfo

func (n notified) HandlePeerFound(info peer.AddrInfo) { n <- info }

// Ours and libp2p's own mDNS understand each other.
func TestStockMDNS(t *testing.T) {
	multicast(t)
	mesh := "test-" + instanceName()[:8]
	ha, _ := startHost(t, lanConfig(t, mesh))
	stock, err := assemble(testConfig(t).withDefaults(), &blocked{})
	if err != nil {
		t.Fatal(err)
	}
	defer stock.Close()
	if err := stock.Network().Listen(multiaddr.StringCast("/ip4/0.0.0.0/tcp/0")); err != nil {
		t.Fatal(err)
	}
	heard := make(notified, 16)
	service := mdns.NewMdnsService(stock, "_p2pfaas-"+mesh+"._udp", heard)
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	select {
	case info := <-heard:
		if info.ID != ha.ID() {
			t.Errorf("libp2p's found %v", info)
		}
	case <-time.After(patience):
		t.Error("libp2p's did not find ours")
	}
	// It is found and dialled, and turns out not to be of our kind.
	eventually(t, "ours dials libp2p's", func() bool { return complained(ha, "hello", stock.ID()) })
}

func complained(h *Host, kind string, p peer.ID) bool {
	h.complaints.mu.Lock()
	defer h.complaints.mu.Unlock()
	return h.complaints.made[complaint{kind, p}]
}

// A copied identity on another machine is noticed; our own announcements are not
// taken for one.
func TestClonedIdentity(t *testing.T) {
	h, _ := startHost(t, testConfig(t))
	h.heard(peer.AddrInfo{ID: h.ID(), Addrs: h.host.Network().ListenAddresses()})
	if complained(h, "clone", h.ID()) {
		t.Fatal("our own announcement was taken for a clone's")
	}
	h.heard(peer.AddrInfo{ID: h.ID(), Addrs: []multiaddr.Multiaddr{multiaddr.StringCast("/ip4/192.0.2.7/tcp/18081")}})
	if !complained(h, "clone", h.ID()) {
		t.Error("a clone was not noticed")
	}
}
