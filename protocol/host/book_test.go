package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/test"
	"github.com/multiformats/go-multiaddr"
)

func somePeer(t testing.TB, n int) peer.AddrInfo {
	t.Helper()
	id, err := test.RandPeerID()
	if err != nil {
		t.Fatal(err)
	}
	return peer.AddrInfo{ID: id, Addrs: []multiaddr.Multiaddr{multiaddr.StringCast(fmt.Sprintf("/ip4/10.0.0.1/tcp/%d", n+1))}}
}

func TestBookKeepsTheLatest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "peers.json")
	b, err := openBook(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []peer.AddrInfo
	for n := range maxRemembered + 10 {
		all = append(all, somePeer(t, n))
		b.seen(all[n])
	}
	b.seen(peer.AddrInfo{ID: all[20].ID}) // keeps its address
	b.seen(somePeerWithout(t))
	b.forget(all[30].ID)
	if err := b.save(); err != nil {
		t.Fatal(err)
	}
	again, err := openBook(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(names(b.list()), names(again.list())); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	got := again.list()
	if len(got) != maxRemembered-1 || got[0].ID != all[20].ID || got[1].ID != all[len(all)-1].ID {
		t.Errorf("%d peers, first %v", len(got), got[:2])
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	before, _ := os.Stat(path)
	_ = b.save() // nothing has changed
	if after, _ := os.Stat(path); !os.SameFile(before, after) {
		t.Error("an unchanged book was written again")
	}
}

func somePeerWithout(t testing.TB) peer.AddrInfo { return peer.AddrInfo{ID: somePeer(t, 0).ID} }

func names(infos []peer.AddrInfo) (all []string) {
	for _, i := range infos {
		all = append(all, i.String())
	}
	return all
}

func TestDamagedBook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peers.json")
	if err := os.WriteFile(path, []byte(`[{"id":`), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := openBook(path)
	if err == nil {
		t.Error("a damaged file gave no error")
	}
	p := somePeer(t, 1)
	b.seen(p)
	if err := b.save(); err != nil {
		t.Fatal(err)
	}
	if again, err := openBook(path); err != nil || len(again.list()) != 1 {
		t.Errorf("replaced by %v, %v", again.list(), err)
	}
}

func FuzzParseBook(f *testing.F) {
	f.Add([]byte(`[{"id":"12D3KooWQYzqnZzu8fNLWSoqFrWgxNTaQ5ykNvGj5ACvHLRnSXn3","addrs":["/ip4/10.0.0.1/tcp/1"],"new":1}]`))
	f.Add([]byte(`[{"id":"x","addrs":null},null,{}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		infos, err := parseBook(data)
		if err != nil {
			return
		}
		if len(infos) > maxRemembered {
			t.Fatalf("%d peers", len(infos))
		}
		for _, i := range infos {
			if i.ID == "" || len(i.Addrs) == 0 || len(i.Addrs) > maxAddrs {
				t.Fatalf("peer %v", i)
			}
		}
	})
}

// A host that knows a peer from an earlier start finds it without any help.
func TestRememberedPeers(t *testing.T) {
	a := testConfig(t)
	a.PeersFile = filepath.Join(t.TempDir(), "peers.json")
	hb, _ := startHost(t, testConfig(t))
	a.Bootstrap = []peer.AddrInfo{infoOf(t, hb)}
	ha, _ := startHost(t, a)
	eventually(t, "joined", isMember(ha, hb.ID()))
	eventually(t, "noted", func() bool { return len(ha.book.list()) == 1 })
	if err := ha.Close(); err != nil {
		t.Fatal(err)
	}
	a.Bootstrap = nil
	again, _ := startHost(t, a)
	eventually(t, "joined from memory", isMember(again, hb.ID()))
}
