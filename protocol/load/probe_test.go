package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/p2pfaas/p2pfaas/protocol/pb/loadpb"

	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

// desk gives news with a rising counter and remembers what it heard.
type desk struct {
	count atomic.Uint64
	wait  time.Duration
	mu    sync.Mutex
	heard map[peer.ID][]Report
}

func (d *desk) Fill(n *News) {
	n.Has, n.Sender = true, Report{Incarnation: 1, Counter: d.count.Add(1), Wait: d.wait, Servers: 4, Speed: 1}
	n.Others = append(n.Others[:0], Entry{Peer: 42, Report: Report{Incarnation: 2, Counter: 3, Age: time.Millisecond, Speed: 1}})
}

func (d *desk) Hear(from peer.ID, n *News) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.heard == nil {
		d.heard = make(map[peer.ID][]Report)
	}
	d.heard[from] = append(d.heard[from], n.Sender)
}

// pair is an asking host and an answering one, connected.
func pair(t *testing.T, gate Gate) (asker, answerer corehost.Host, p *Prober, ad, sd *desk) {
	t.Helper()
	asker, answerer = newHost(t), newHost(t)
	ad, sd = &desk{wait: time.Second}, &desk{wait: 2 * time.Second}
	s := NewServer(answerer, sd, sd, gate)
	s.Start()
	t.Cleanup(func() { _ = s.Close() })
	connect(t, asker, answerer)
	p = NewProber(asker, ad)
	t.Cleanup(func() { _ = p.Close() })
	return asker, answerer, p, ad, sd
}

func openStreams(h corehost.Host, to peer.ID) int {
	n := 0
	for _, c := range h.Network().ConnsToPeer(to) {
		for _, s := range c.GetStreams() {
			if s.Protocol() == ID {
				n++
			}
		}
	}
	return n
}

func TestProbeTellsBothLoads(t *testing.T) {
	asker, answerer, p, _, sd := pair(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for i := 1; i <= 5; i++ {
		news, rtt, err := p.Probe(ctx, answerer.ID())
		if err != nil {
			t.Fatal(err)
		}
		want := News{Has: true, Sender: Report{Incarnation: 1, Counter: uint64(i), Wait: 2 * time.Second, Servers: 4, Speed: 1},
			Others: []Entry{{Peer: 42, Report: Report{Incarnation: 2, Counter: 3, Age: time.Millisecond, Speed: 1}}}}
		if diff := cmp.Diff(want, news); diff != "" {
			t.Fatalf("answer %d (-want +got):\n%s", i, diff)
		}
		if rtt <= 0 || rtt > limit {
			t.Fatalf("round trip of %v", rtt)
		}
	}
	if n := openStreams(asker, answerer.ID()); n != 1 {
		t.Errorf("%d streams kept after five probes, want 1", n)
	}
	if heard := sd.heard[asker.ID()]; len(heard) != 5 || heard[4].Counter != 5 || heard[4].Wait != time.Second {
		t.Errorf("the other side heard %v", heard)
	}
}

func TestProbeReopensADeadStream(t *testing.T) {
	asker, answerer, p, _, _ := pair(t, nil)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if _, _, err := p.Probe(ctx, answerer.ID()); err != nil {
		t.Fatal(err)
	}
	for _, c := range answerer.Network().ConnsToPeer(asker.ID()) {
		for _, s := range c.GetStreams() {
			if s.Protocol() == ID {
				_ = s.Reset()
			}
		}
	}
	if _, _, err := p.Probe(ctx, answerer.ID()); err != nil {
		t.Fatalf("probe on a stream that died: %v", err)
	}
}

func TestProbeClosesIdleStreams(t *testing.T) {
	asker, answerer, p, _, _ := pair(t, nil)
	p.kept = streams.NewKept(asker, ID, 20*time.Millisecond)
	if _, _, err := p.Probe(context.Background(), answerer.ID()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "idle stream closed", func() bool { return openStreams(asker, answerer.ID()) == 0 })
}

func TestProbesAtOnce(t *testing.T) {
	asker, answerer, p, _, _ := pair(t, nil)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				if _, _, err := p.Probe(context.Background(), answerer.ID()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	eventually(t, "all but one stream closed", func() bool { return openStreams(asker, answerer.ID()) == 1 })
}

func TestProbeEndsWithItsContext(t *testing.T) {
	_, answerer, p, _, _ := pair(t, func(ctx context.Context, _ peer.ID) error {
		<-ctx.Done() // never says yes
		return ctx.Err()
	})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := p.Probe(ctx, answerer.ID()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want the context's", err)
	}
}

func TestGateIsHeeded(t *testing.T) {
	_, answerer, p, _, sd := pair(t, func(context.Context, peer.ID) error { return errors.New("no") })
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if _, _, err := p.Probe(ctx, answerer.ID()); err == nil {
		t.Fatal("a peer that is not let in got an answer")
	}
	if len(sd.heard) != 0 {
		t.Fatal("a peer that is not let in was heard")
	}
}

func TestProbeDoesNotDial(t *testing.T) {
	asker, stranger := newHost(t), newHost(t)
	asker.Peerstore().AddAddrs(stranger.ID(), stranger.Addrs(), time.Hour)
	p := NewProber(asker, &desk{})
	defer p.Close()
	if _, _, err := p.Probe(context.Background(), stranger.ID()); err == nil {
		t.Fatal("a peer without a connection answered")
	}
	if n := len(asker.Network().Conns()); n != 0 {
		t.Fatalf("%d connections after a probe, want none", n)
	}
}

// A peer that sends nonsense loses its stream, and nothing else happens.
func TestServerSurvivesNonsense(t *testing.T) {
	asker, answerer, p, _, sd := pair(t, nil)
	for name, b := range map[string][]byte{
		"too large": binary.AppendUvarint(nil, MaxMessage+1),
		"endless":   bytes.Repeat([]byte{0xff}, 20),
		"garbage":   append(binary.AppendUvarint(nil, 4), 0xff, 0xff, 0xff, 0xff),
	} {
		s, err := asker.NewStream(context.Background(), answerer.ID(), ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.Write(b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = s.SetReadDeadline(time.Now().Add(limit))
		if _, err = io.ReadAll(s); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: stream ended with %v, want a reset", name, err)
		}
	}
	if len(sd.heard) != 0 {
		t.Errorf("nonsense was heard: %v", sd.heard)
	}
	if _, _, err := p.Probe(context.Background(), answerer.ID()); err != nil {
		t.Fatalf("an honest probe afterwards: %v", err)
	}
}

func TestStreamsPerPeerAreBounded(t *testing.T) {
	asker, answerer, _, _, _ := pair(t, nil)
	for range streamsPerPeer + 4 {
		s, err := asker.NewStream(context.Background(), answerer.ID(), ID)
		if err != nil {
			t.Fatal(err)
		}
		var f framer
		if _, err = s.Write(f.frame(&News{})); err != nil {
			continue
		}
		_, _ = readFrame(bufio.NewReader(s), nil)
	}
	if n := openStreams(answerer, asker.ID()); n > streamsPerPeer {
		t.Fatalf("%d streams open, want at most %d", n, streamsPerPeer)
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(AppendMessage(nil, &News{Has: true, Sender: Report{Incarnation: 1, Counter: 2, Wait: time.Second, Speed: 1}}))
	f.Add([]byte{0x0a, 0x02, 0x08})
	f.Add([]byte{0x12, 0x00, 0x1a, 0x01, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		var n, again News
		err := ParseMessage(b, &n)
		if proto.Unmarshal(b, new(loadpb.Message)) == nil && err != nil {
			t.Fatalf("the generated code reads it, we do not: %v", err)
		}
		if err != nil {
			return
		}
		if len(n.Others) > MaxEntries {
			t.Fatalf("%d entries", len(n.Others))
		}
		if err = ParseMessage(AppendMessage(nil, &n), &again); err != nil {
			t.Fatalf("our own bytes: %v", err)
		}
	})
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{3, 1, 2, 3})
	f.Add([]byte{0xff, 0xff, 0x7f, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readFrame(bufio.NewReader(bytes.NewReader(b)), nil)
		if err == nil && (len(got) > MaxMessage || len(got) >= len(b)) {
			t.Fatalf("%d bytes out of %d", len(got), len(b))
		}
	})
}

func FuzzDecodeReport(f *testing.F) {
	f.Add(AppendReport(nil, &Report{Incarnation: 1, Counter: 1, Speed: 1}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeReport(b)
		if err == nil && (len(b) > MaxMessage || r.Incarnation == 0 || r.Counter == 0) {
			t.Fatalf("accepted %d bytes: %+v", len(b), r)
		}
	})
}
