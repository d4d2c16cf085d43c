package load

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"
)

// gossiper is one node of a gossip test.
type gossiper struct {
	corehost.Host
	topic    *Topic
	counter  atomic.Uint64
	draining atomic.Bool
	mu       sync.Mutex
	newest   map[peer.ID]Report
	rejected map[peer.ID]bool // strangers
}

func newGossiper(t *testing.T, period time.Duration) *gossiper {
	t.Helper()
	return newGossiperOf(t, period, 0)
}

func newGossiperOf(t *testing.T, period time.Duration, degree int) *gossiper {
	t.Helper()
	g := &gossiper{Host: newHost(t), newest: make(map[peer.ID]Report), rejected: make(map[peer.ID]bool)}
	topic, err := NewTopic(g, TopicConfig{Mesh: "test", Own: g.own, Hear: g.hear, Member: g.member,
		Period: func() time.Duration { return period }, Degree: degree})
	if err != nil {
		t.Fatal(err)
	}
	g.topic = topic
	t.Cleanup(func() { _ = topic.Close() })
	if err = topic.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *gossiper) own(r *Report) {
	*r = Report{Incarnation: 5, Counter: g.counter.Add(1), Servers: 4, Speed: 1, Draining: g.draining.Load()}
}

func (g *gossiper) hear(from peer.ID, r *Report) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.newest[from] = *r
}

func (g *gossiper) member(p peer.ID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.rejected[p]
}

func (g *gossiper) setMember(p peer.ID, is bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rejected[p] = !is
}

func (g *gossiper) of(p peer.ID) Report {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.newest[p]
}

// line connects hosts in a line, so that most reports have to be passed on.
func line(t *testing.T, gs []*gossiper) {
	for i := 1; i < len(gs); i++ {
		connect(t, gs[i-1], gs[i])
	}
}

// allPast waits until each has heard each other one's report of at least that counter.
func allPast(t *testing.T, gs []*gossiper, past map[peer.ID]uint64) {
	t.Helper()
	for _, g := range gs {
		for _, o := range gs {
			if g != o {
				eventually(t, "a newer report heard by each of each", func() bool { return g.of(o.ID()).Counter > past[o.ID()] })
			}
		}
	}
}

func counters(gs []*gossiper) map[peer.ID]uint64 {
	now := make(map[peer.ID]uint64)
	for _, g := range gs {
		now[g.ID()] = g.counter.Load()
	}
	return now
}

func TestTopicReachesAll(t *testing.T) {
	gs := make([]*gossiper, 5)
	for i := range gs {
		gs[i] = newGossiper(t, 300*time.Millisecond)
	}
	line(t, gs)
	allPast(t, gs, nil)
	allPast(t, gs, counters(gs)) // and again, what was not said before
	gs[0].draining.Store(true)
	if err := gs[0].topic.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last report is heard at the far end", func() bool { return gs[4].of(gs[0].ID()).Draining })
}

// Small machines pass reports on to fewer members than others.
func TestTopicOfSeveralDegrees(t *testing.T) {
	var gs []*gossiper
	for degree := range 9 {
		gs = append(gs, newGossiperOf(t, 50*time.Millisecond, degree))
	}
	line(t, gs)
	first, last := gs[0], gs[len(gs)-1]
	eventually(t, "one with a single connection counts all that report", func() bool { return first.topic.Signers() == len(gs)-1 })
	eventually(t, "both ends hear of each other", func() bool {
		return first.of(last.ID()).Counter > 0 && last.of(first.ID()).Counter > 0
	})
}

func TestTopicSoon(t *testing.T) {
	a, b := newGossiper(t, time.Hour), newGossiper(t, time.Hour)
	connect(t, a, b)
	// Once the two have found each other, each call brings a report at once.
	eventually(t, "a report long before its time", func() bool {
		a.topic.Soon()
		return b.of(a.ID()).Counter > 0
	})
}

// Who has not said hello gets no reports and is not heard; once it has, it does
// and is, on the same connection.
func TestTopicIsForMembers(t *testing.T) {
	a, b, stranger := newGossiper(t, 300*time.Millisecond), newGossiper(t, 300*time.Millisecond), newGossiper(t, 300*time.Millisecond)
	a.setMember(stranger.ID(), false)
	connect(t, a, b)
	connect(t, stranger, a)
	allPast(t, []*gossiper{a, b}, nil)
	before := counters([]*gossiper{stranger})[stranger.ID()]
	eventually(t, "the stranger has spoken a few times more", func() bool { return stranger.counter.Load() > before+3 })
	if a.of(stranger.ID()).Counter != 0 || b.of(stranger.ID()).Counter != 0 {
		t.Fatal("a stranger was heard")
	}
	if stranger.of(a.ID()).Counter != 0 || stranger.of(b.ID()).Counter != 0 {
		t.Fatal("a stranger was told")
	}
	a.setMember(stranger.ID(), true)
	allPast(t, []*gossiper{a, b, stranger}, nil)
}

// villain speaks pubsub by hand.
type villain struct {
	corehost.Host
	key crypto.PrivKey
	seq uint64
}

func newVillain(t *testing.T) *villain {
	h := newHost(t)
	for _, id := range pubsub.GossipSubDefaultProtocols { // so that it is taken for one of us
		h.SetStreamHandler(id, func(s network.Stream) {
			buf := make([]byte, 1024)
			for {
				if _, err := s.Read(buf); err != nil {
					return
				}
			}
		})
	}
	return &villain{Host: h, key: h.Peerstore().PrivKey(h.ID())}
}

// message is one that claims to be of from, signed with the villain's key.
func (v *villain) message(t *testing.T, from peer.ID, data []byte) *pb.Message {
	t.Helper()
	v.seq++
	m := &pb.Message{From: []byte(from), Data: data, Topic: proto.String(TopicName("test", "0")),
		Seqno: binary.BigEndian.AppendUint64(nil, v.seq)}
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if m.Signature, err = v.key.Sign(append([]byte("libp2p-pubsub:"), b...)); err != nil {
		t.Fatal(err)
	}
	return m
}

func (v *villain) say(t *testing.T, to peer.ID, rpcs ...[]byte) {
	t.Helper()
	s, err := v.NewStream(context.Background(), to, "/meshsub/1.1.0")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range rpcs {
		if _, err = s.Write(append(binary.AppendUvarint(nil, uint64(len(b))), b...)); err != nil {
			t.Logf("cut off while writing: %v", err)
			return
		}
	}
}

func publish(t *testing.T, ms ...*pb.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(&pb.RPC{Publish: ms})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTopicWithstandsAHostileMember(t *testing.T) {
	gs := make([]*gossiper, 4)
	for i := range gs {
		gs[i] = newGossiper(t, 300*time.Millisecond)
	}
	line(t, gs)
	v := newVillain(t)
	connect(t, v, gs[1])
	allPast(t, gs, nil)

	report := func(counter uint64) []byte {
		return AppendReport(nil, &Report{Incarnation: 7, Counter: counter, Servers: int(counter), Speed: 1})
	}
	forged := v.message(t, gs[0].ID(), AppendReport(nil, &Report{Incarnation: 99, Counter: 1, Speed: 1}))
	unsigned := v.message(t, v.ID(), report(1000))
	unsigned.Signature = nil
	ours := v.message(t, gs[1].ID(), AppendReport(nil, &Report{Incarnation: 99, Counter: 1, Speed: 1}))
	v.say(t, gs[1].ID(),
		publish(t, v.message(t, v.ID(), report(10))), // a good one, to be passed on
		publish(t, v.message(t, v.ID(), report(9))),  // old
		publish(t, forged, unsigned, ours),
		publish(t, v.message(t, v.ID(), []byte{0xff, 0xff})),
		publish(t, v.message(t, v.ID(), make([]byte, MaxMessage+1))),
		publish(t, v.message(t, v.ID(), nil)),
	)
	eventually(t, "the good report reaches the far end", func() bool { return gs[3].of(v.ID()).Counter == 10 })
	v.say(t, gs[1].ID(), []byte{0xff, 0xfe, 0xfd})                    // no RPC
	v.say(t, gs[1].ID(), make([]byte, maxRPC+1))                      // too large for one
	allPast(t, gs, counters(gs))                                      // nothing died, honest reports pass
	v.say(t, gs[1].ID(), publish(t, v.message(t, v.ID(), report(8)))) // older than what it knows
	eventually(t, "all kinds are counted", func() bool {
		c := gs[1].topic.Counts()
		return c.Heard > 0 && c.Ignored > 0 && c.Rejected > 0
	})
	for i, g := range gs {
		if r := g.of(gs[0].ID()); r.Incarnation == 99 {
			t.Errorf("node %d believes the forged report", i)
		}
		if r := g.of(v.ID()); r.Counter != 10 || r.Servers != 10 {
			t.Errorf("node %d believes %+v of the villain, want counter 10", i, r)
		}
	}
}

// Enough invalid messages, and a member is heard no more: not even what is valid.
func TestTopicGraylists(t *testing.T) {
	g := newGossiper(t, 300*time.Millisecond)
	v := newVillain(t)
	connect(t, v, g)
	good := func(counter uint64) []byte {
		return publish(t, v.message(t, v.ID(), AppendReport(nil, &Report{Incarnation: 1, Counter: counter, Speed: 1})))
	}
	v.say(t, g.ID(), good(1))
	eventually(t, "a member in good standing is heard", func() bool { return g.of(v.ID()).Counter == 1 })
	var bad []*pb.Message
	for i := range 20 {
		bad = append(bad, v.message(t, v.ID(), []byte{0xff, byte(i)}))
	}
	eventually(t, "graylisted", func() bool {
		before := g.of(v.ID()).Counter
		v.say(t, g.ID(), publish(t, bad...), good(before+1))
		time.Sleep(300 * time.Millisecond) // in which a good one would be heard
		return g.of(v.ID()).Counter == before
	})
}

func TestSigners(t *testing.T) {
	now := time.Now()
	s := newSigners()
	say := func(from peer.ID, inc, counter uint64) bool {
		return s.accept(from, &Report{Incarnation: inc, Counter: counter}, now, time.Second)
	}
	for _, step := range []struct {
		from         peer.ID
		inc, counter uint64
		after        time.Duration
		want         bool
	}{
		{"a", 1, 5, 0, true},
		{"a", 1, 5, time.Second, false}, // again
		{"a", 1, 4, time.Second, false}, // old
		{"b", 1, 4, 0, true},
		{"a", 1, 6, time.Second, true},
		{"a", 2, 1, time.Second, true},   // a new life
		{"a", 1, 99, time.Second, false}, // the old life
	} {
		now = now.Add(step.after)
		if got := say(step.from, step.inc, step.counter); got != step.want {
			t.Errorf("%+v: accepted %v", step, got)
		}
	}
	accepted := 0
	for i := range 100 { // all at once
		if say("c", 1, uint64(i+1)) {
			accepted++
		}
	}
	if accepted != rateBurst {
		t.Errorf("%d of 100 at once accepted, want a burst of %d", accepted, rateBurst)
	}
	now = now.Add(2 * time.Second)
	if !say("c", 1, 200) || !say("c", 1, 201) || say("c", 1, 202) {
		t.Error("two seconds later two more are due, no third")
	}
}

func TestSignersOfLate(t *testing.T) {
	s, now := newSigners(), time.Now()
	for i, ago := range []time.Duration{0, time.Second, 3 * time.Second, time.Minute} {
		s.accept(peer.ID(rune('a'+i)), &Report{Incarnation: 1, Counter: 1}, now.Add(-ago), time.Second)
	}
	for since, want := range map[time.Duration]int{0: 1, 2 * time.Second: 2, 3 * time.Second: 3, time.Hour: 4} {
		if got := s.since(now.Add(-since)); got != want {
			t.Errorf("%d reported within %v, want %d", got, since, want)
		}
	}
	s.accept("d", &Report{Incarnation: 1, Counter: 2}, now, time.Second)
	if got := s.since(now); got != 2 {
		t.Errorf("%d reported now, want the new one and who reported again", got)
	}
}

func TestSignersAreBounded(t *testing.T) {
	s := newSigners()
	for i := range uint64(maxSigners + 100) {
		s.accept(peer.ID(binary.BigEndian.AppendUint64(nil, i)), &Report{Incarnation: 1, Counter: 1}, time.Now(), time.Second)
	}
	if n := s.table.Len(); n != maxSigners {
		t.Fatalf("%d signers remembered, want %d", n, maxSigners)
	}
}

func TestTracerTellsOnce(t *testing.T) {
	tr := newTracer(&atomic.Uint64{})
	if !tr.first("a") || tr.first("a") || !tr.first("b") {
		t.Fatal("not once for each peer")
	}
}
