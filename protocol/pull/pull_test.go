package pull

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk gives news and counts what it heard.
type desk struct {
	mu    sync.Mutex
	heard map[peer.ID]int
}

func (d *desk) Fill(n *load.News) { *n = *someNews() }

func (d *desk) Hear(from peer.ID, n *load.News) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.heard == nil {
		d.heard = make(map[peer.ID]int)
	}
	if n.Has && len(n.Others) == 1 {
		d.heard[from]++
	}
}

func (d *desk) from(p peer.ID) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.heard[p]
}

func newHost(t *testing.T) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// pair is two connected hosts, the second answering with handle.
func pair(t *testing.T, handle Handler, gate Gate) (asker, asked host.Host, c *Client, atAsker, atAsked *desk) {
	t.Helper()
	asker, asked = newHost(t), newHost(t)
	if err := asker.Connect(t.Context(), peer.AddrInfo{ID: asked.ID(), Addrs: asked.Addrs()}); err != nil {
		t.Fatal(err)
	}
	atAsker, atAsked = &desk{}, &desk{}
	s := NewServer(asked, handle, gate, atAsked, atAsked)
	s.Start()
	t.Cleanup(func() { _ = s.Close() })
	c = NewClient(asker, atAsker, atAsker)
	t.Cleanup(func() { _ = c.Close() })
	return asker, asked, c, atAsker, atAsked
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestAskAndAnswer(t *testing.T) {
	got := make(chan Ask, 2)
	asker, asked, c, atAsker, atAsked := pair(t, func(_ context.Context, _ peer.ID, a Ask) Answer {
		got <- a
		return Answer{OK: a.Passes > 0, Messages: a.Passes}
	}, nil)
	answer, err := c.Ask(within(t), asked.ID(), Ask{Passes: 2, Asked: []peer.ID{id("x")}})
	if err != nil || answer != (Answer{OK: true, By: asked.ID(), Messages: 2}) {
		t.Fatalf("%+v, %v", answer, err)
	}
	if diff := cmp.Diff(Ask{From: asker.ID(), Passes: 2, Asked: []peer.ID{id("x")}}, <-got); diff != "" {
		t.Error(diff)
	}
	if answer, err = c.Ask(within(t), asked.ID(), Ask{From: id("other")}); err != nil || answer.OK {
		t.Fatalf("%+v, %v", answer, err)
	}
	if a := <-got; a.From != id("other") {
		t.Errorf("asked for %q", a.From)
	}
	if atAsker.from(asked.ID()) != 2 || atAsked.from(asker.ID()) != 2 {
		t.Errorf("news heard: %d and %d, want 2 and 2", atAsker.from(asked.ID()), atAsked.from(asker.ID()))
	}
}

func TestAsksAtOnce(t *testing.T) {
	_, asked, c, _, _ := pair(t, func(_ context.Context, _ peer.ID, a Ask) Answer { return Answer{Messages: a.Passes} }, nil)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			for range 20 {
				answer, err := c.Ask(t.Context(), asked.ID(), Ask{Passes: i % 4})
				if err != nil || answer.Messages != i%4 {
					t.Errorf("%+v, %v", answer, err)
				}
			}
		})
	}
	all.Wait()
}

func TestWhoMayNotAskIsNotAnswered(t *testing.T) {
	_, asked, c, _, _ := pair(t, func(context.Context, peer.ID, Ask) Answer { return Answer{OK: true} },
		func(context.Context, peer.ID) error { return errors.New("a stranger") })
	if answer, err := c.Ask(within(t), asked.ID(), Ask{}); err == nil {
		t.Errorf("answered %+v", answer)
	}
}

func TestAskEndsWithItsContext(t *testing.T) {
	_, asked, c, _, _ := pair(t, func(ctx context.Context, _ peer.ID, _ Ask) Answer {
		<-ctx.Done()
		return Answer{}
	}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Ask(ctx, asked.ID(), Ask{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestNobodyIsDialled(t *testing.T) {
	asker, stranger := newHost(t), newHost(t)
	asker.Peerstore().AddAddrs(stranger.ID(), stranger.Addrs(), time.Hour)
	c := NewClient(asker, &desk{}, &desk{})
	defer c.Close()
	if _, err := c.Ask(within(t), stranger.ID(), Ask{}); err == nil {
		t.Error("asked a peer without a connection")
	}
}
