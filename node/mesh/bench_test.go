package mesh

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

func crowd(b testing.TB) *fixture { return crowdOf(b, 64) }

func crowdOf(b testing.TB, members int) *fixture {
	f := newFixture(b, 64)
	for i := range members {
		f.join(peer.ID(fmt.Sprintf("%034d", i)), fn("resize", 1), fn("thumb", 1))
	}
	return f
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	f := crowd(t)
	var dst []sched.Neighbour
	var news load.News
	p := peer.ID(fmt.Sprintf("%034d", 7))
	for name, do := range map[string]func(){
		"fill":   func() { dst = f.Fill(dst, "resize", [8]byte{1}) },
		"source": func() { f.clock.add(ms); f.Source().Fill(&news) },
		"hear":   func() { news.Sender.Counter += 1000; f.Hear(p, &news) },
		"send":   func() { f.Sent(p, "fn", time.Second); f.Done(p, Done{}) },
	} {
		do()
		if n := testing.AllocsPerRun(100, do); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	if len(dst) != 64 {
		t.Fatalf("%d candidates, want 64", len(dst))
	}
}

func BenchmarkFill64(b *testing.B) {
	f := crowd(b)
	var dst []sched.Neighbour
	b.ReportAllocs()
	for b.Loop() {
		dst = f.Fill(dst, "resize", [8]byte{1})
	}
}

func BenchmarkSource(b *testing.B) {
	f := crowd(b)
	var news load.News
	b.ReportAllocs()
	for b.Loop() {
		f.Source().Fill(&news)
	}
}

func BenchmarkHear(b *testing.B) {
	f := crowd(b)
	var news load.News
	f.Source().Fill(&news)
	p := peer.ID(fmt.Sprintf("%034d", 7))
	b.ReportAllocs()
	for b.Loop() {
		news.Sender.Counter++
		f.Hear(p, &news)
	}
}

// BenchmarkDecide is a decision as the node takes it: the view of who runs the
// function, and the policy. More members than 64 are not in view.
func BenchmarkDecide(b *testing.B) {
	for _, members := range []int{4, 16, 64, 1024} {
		b.Run(fmt.Sprint(members, " members"), func(b *testing.B) {
			f := crowdOf(b, members)
			policy, err := sched.Policies().New("spread", nil)
			if err != nil {
				b.Fatal(err)
			}
			r := &sched.Request{Function: "resize", Deadline: time.Second, Weight: 1}
			v := &sched.View{Now: f.clock.at, Rand: mathrand.New(mathrand.NewPCG(1, 2)),
				Self: sched.Self{Load: sched.Load{Servers: 1, Running: 1, Queued: 3, Wait: 200 * ms, Speed: 1}, Deployed: true}}
			b.ReportAllocs()
			for b.Loop() {
				v.Neighbours = f.Fill(v.Neighbours, "resize", [8]byte{1})
				policy.Decide(v, r)
			}
		})
	}
}

// BenchmarkMemory tells what it takes to know a peer, besides its connection, which
// libp2p's hosts and "p2pfaas-lab scale" tell of.
func BenchmarkMemory(b *testing.B) {
	const peers = 1000
	ids := make([]peer.ID, peers)
	for i := range ids {
		_, key, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		if ids[i], err = peer.IDFromPublicKey(key); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("member", func(b *testing.B) {
		for b.Loop() {
			f := newFixture(b, 64)
			perPeer(b, peers, func() {
				for _, id := range ids {
					f.join(id, fn("resize", 1), fn("thumb", 1))
				}
			})
			runtime.KeepAlive(f)
		}
	})
	b.Run("address only", func(b *testing.B) {
		for b.Loop() {
			book, err := pstoremem.NewPeerstore()
			if err != nil {
				b.Fatal(err)
			}
			perPeer(b, peers, func() {
				for i, id := range ids {
					at := fmt.Sprintf("/ip4/10.1.%d.%d", i/250, i%250)
					book.AddAddrs(id, []multiaddr.Multiaddr{multiaddr.StringCast(at + "/tcp/18081"), multiaddr.StringCast(at + "/udp/18081/quic-v1")}, peerstore.PermanentAddrTTL)
				}
			})
			if err := book.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func perPeer(b *testing.B, peers int, know func()) {
	before := heap()
	know()
	b.ReportMetric(float64(heap()-before)/float64(peers), "B/peer")
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
