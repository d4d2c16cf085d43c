package host

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ipfs/go-datastore"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
	"github.com/multiformats/go-multiaddr"
)

// knowing starts a host that knows these and finds the others by the DHT alone.
func knowing(t testing.TB, peers ...*Host) *Host {
	t.Helper()
	cfg := testConfig(t)
	for _, p := range peers {
		cfg.Bootstrap = append(cfg.Bootstrap, infoOf(t, p))
	}
	h, _ := startHost(t, cfg)
	return h
}

// allMeet waits until each host is a member to each other.
func allMeet(t testing.TB, hosts []*Host) time.Duration {
	t.Helper()
	began := time.Now()
	for _, a := range hosts {
		for _, b := range hosts {
			if a != b {
				eventually(t, "all see all", isMember(a, b.ID()))
			}
		}
	}
	return time.Since(began)
}

func TestBootstrapPeerIntroducesOthers(t *testing.T) {
	a := knowing(t)
	hosts := []*Host{a, knowing(t, a), knowing(t, a)}
	t.Logf("three saw each other after %v", allMeet(t, hosts))
	hosts = append(hosts, knowing(t, hosts[2]))
	t.Logf("a fourth that came later saw, and was seen by, all after %v", allMeet(t, hosts))
}

// A member that is too busy to tell libp2p what it speaks introduces others all the
// same.
func TestBootstrapPeerThatIsNotIdentified(t *testing.T) {
	a := knowing(t)
	a.Libp2p().RemoveStreamHandler(identify.ID)
	b, c := knowing(t, a), knowing(t, a)
	eventually(t, "b sees c", isMember(b, c.ID()))
	eventually(t, "c sees b", isMember(c, b.ID()))
}

func TestChainBecomesMesh(t *testing.T) {
	hosts := []*Host{knowing(t)}
	for range 11 {
		hosts = append(hosts, knowing(t, hosts[len(hosts)-1]))
	}
	t.Logf("twelve saw each other after %v", allMeet(t, hosts))
	for _, h := range hosts {
		for _, p := range h.Libp2p().Network().Peers() {
			if n := len(h.Libp2p().Network().ConnsToPeer(p)); n > 2 {
				t.Errorf("%d connections between two hosts", n)
			}
		}
	}
}

// providersOf are the providers of a key that h finds.
func providersOf(t testing.TB, h *Host, key string) (ids []peer.ID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for info := range h.Providers(ctx, key) {
		if len(info.Addrs) == 0 {
			t.Errorf("provider %s without address", info.ID)
		}
		ids = append(ids, info.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestProvidersAreFound(t *testing.T) {
	a := knowing(t)
	hosts := []*Host{a, knowing(t, a), knowing(t, a), knowing(t, a), knowing(t, a)}
	hosts[1].Advertise([]string{"x", "y"})
	hosts[2].Advertise([]string{"y"})
	allMeet(t, hosts)
	for key, want := range map[string][]peer.ID{"x": {hosts[1].ID()}, "y": {hosts[1].ID(), hosts[2].ID()}, "z": nil} {
		slices.Sort(want)
		eventually(t, "providers of "+key, func() bool { return slices.Equal(providersOf(t, hosts[4], key), want) })
	}
	hosts[3].Advertise([]string{"z"})
	eventually(t, "a new key is found", func() bool { return slices.Equal(providersOf(t, hosts[4], "z"), []peer.ID{hosts[3].ID()}) })
	for range hosts[4].Providers(t.Context(), "y") {
		break // ends the lookup; TestMain sees what it leaves behind
	}
}

func TestAloneIsQuiet(t *testing.T) {
	h := knowing(t)
	h.Advertise([]string{"x"})
	for info := range h.Providers(t.Context(), "x") {
		t.Errorf("alone, and found %v", info)
	}
	cfg := testConfig(t)
	cfg.DHT = false
	cfg.Bootstrap = []peer.AddrInfo{infoOf(t, h)}
	without, _ := startHost(t, cfg)
	without.Advertise([]string{"x"})
	eventually(t, "one without DHT is a member all the same", isMember(h, without.ID()))
	for info := range without.Providers(t.Context(), "x") {
		t.Errorf("without DHT, and found %v", info)
	}
	if n := h.directory.kad.RoutingTable().Size(); n != 0 {
		t.Errorf("%d nodes in the routing table, of which none speaks the protocol", n)
	}
}

// A client asks the DHT, but nobody asks it and it advertises nothing.
func TestClientFindsNodes(t *testing.T) {
	a := knowing(t)
	b := knowing(t, a)
	b.Advertise([]string{"x"})
	cfg := testConfig(t)
	cfg.Client, cfg.Listen, cfg.Bootstrap = true, nil, []peer.AddrInfo{infoOf(t, a)}
	client, _ := startHost(t, cfg)
	client.Advertise([]string{"x"})
	eventually(t, "the client finds b through a", isMember(client, b.ID()))
	eventually(t, "the client finds who provides", func() bool { return slices.Equal(providersOf(t, client, "x"), []peer.ID{b.ID()}) })
	if a.directory.serves(client.ID()) || a.directory.kad.RoutingTable().Find(client.ID()) != "" {
		t.Error("the client counts as a node")
	}
}

// Whoever has not said hello gets nothing from the DHT.
func TestStrangersAreNotServed(t *testing.T) {
	t.Parallel() // it takes as long as a stranger may keep silent
	h := knowing(t)
	stranger, err := assemble(testConfig(t).withDefaults(), &blocked{})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if err := stranger.Connect(t.Context(), infoOf(t, h)); err != nil {
		t.Fatal(err)
	}
	s, err := stranger.NewStream(t.Context(), h.ID(), "/p2pfaas/default/kad/1.0.0")
	if err == nil {
		_ = s.SetReadDeadline(time.Now().Add(patience))
		_, _ = s.Write([]byte{2, 8, 5}) // a ping
		if _, err = s.Read(make([]byte, 1)); err == nil {
			t.Fatal("a stranger was answered")
		}
	}
}

func TestRecordsAreBounded(t *testing.T) {
	r := newRecords()
	ctx := t.Context()
	put := func(key, provider string) {
		if err := r.Put(ctx, datastore.NewKey("/providers/"+key+"/"+provider), []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range recordsPerPeer + 10 {
		put(fmt.Sprint(i), "one")
	}
	if len(r.kept) != recordsPerPeer {
		t.Fatalf("%d records of one provider, want %d", len(r.kept), recordsPerPeer)
	}
	put("0", "one") // again
	put("0", "two")
	for i := range 2 * maxRecords {
		put("0", fmt.Sprint("many", i))
	}
	if len(r.kept) != maxRecords || r.perPeer["two"] != 1 {
		t.Fatalf("%d records, %d of the second provider", len(r.kept), r.perPeer["two"])
	}
	for key := range r.kept {
		if err := r.Delete(ctx, key); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.kept) != 0 || len(r.perPeer) != 0 {
		t.Fatalf("%d records and %d providers remain", len(r.kept), len(r.perPeer))
	}
}

func TestLanAddrs(t *testing.T) {
	for _, c := range []struct{ in, want []string }{
		{[]string{"/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip4/8.8.8.8/tcp/1"}, []string{"/ip4/10.0.0.1/tcp/1"}},
		{[]string{"/ip4/127.0.0.1/tcp/1", "/ip4/8.8.8.8/tcp/1"}, []string{"/ip4/127.0.0.1/tcp/1"}},
		{[]string{"/ip4/8.8.8.8/tcp/1", "/dns4/evil.example/tcp/1"}, nil},
	} {
		var in []multiaddr.Multiaddr
		for _, a := range c.in {
			in = append(in, multiaddr.StringCast(a))
		}
		var got []string
		for _, a := range lanAddrs(in) {
			got = append(got, a.String())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("of %v: %v, want %v", c.in, got, c.want)
		}
	}
	if n := len(lanAddrs(slices.Repeat([]multiaddr.Multiaddr{multiaddr.StringCast("/ip4/10.0.0.1/tcp/1")}, 100))); n != maxAddrs {
		t.Errorf("%d addresses, want %d", n, maxAddrs)
	}
}
