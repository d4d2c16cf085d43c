package invoke_test

import (
	"errors"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// hang is a stream handler of a peer that has stopped: it reads nothing and
// says nothing until the stream ends.
func hang(over <-chan struct{}) network.StreamHandler {
	return func(s network.Stream) {
		<-over
		_ = s.Reset()
	}
}

// silentPeer is a client, and a peer that takes invocations and says nothing.
func silentPeer(t *testing.T, alive bool) (*invoke.Client, *pair) {
	t.Helper()
	over := make(chan struct{})
	p := &pair{a: newHost(t, "tcp"), b: newHost(t, "tcp")}
	p.b.SetStreamHandler(invoke.ID, hang(over))
	if alive {
		ping.NewPingService(p.b)
	} else {
		p.b.SetStreamHandler(ping.ID, hang(over))
	}
	p.client = invoke.NewClient(p.a, invoke.Config{})
	t.Cleanup(func() {
		_ = p.client.Close()
		close(over)
		_ = p.a.Close()
		_ = p.b.Close()
	})
	connect(t, p.a, p.b)
	return p.client, p
}

func TestHungPeerIsGivenUp(t *testing.T) {
	c, p := silentPeer(t, false)
	began := time.Now()
	_, err := c.Invoke(within(t), p.peer(), post("x"))
	t.Logf("given up after %v: %v", time.Since(began), err)
	var e *invoke.Error
	if !errors.As(err, &e) || e.Code != invoke.CodeUnknown {
		t.Errorf("error %v, want an unknown outcome: it may have run", err)
	}
	if n := len(p.a.Network().ConnsToPeer(p.peer())); n != 0 {
		t.Errorf("%d connections to it are still open", n)
	}
	if got := c.Stats(); got.Silent != 1 || got.Busy != 0 || got.Waiting != 0 {
		t.Errorf("stats %+v", got)
	}
}

// What the peerstore takes for the distance may be the length of a failure.
func TestHungPeerIsGivenUpHoweverFarItSeems(t *testing.T) {
	c, p := silentPeer(t, false)
	p.a.Peerstore().RecordLatency(p.peer(), time.Minute)
	r := post("x")
	r.Deadline = 30 * time.Second
	_, err := c.Invoke(within(t), p.peer(), r)
	var e *invoke.Error
	if !errors.As(err, &e) || e.Code != invoke.CodeUnknown {
		t.Errorf("error %v, want an unknown outcome before the deadline", err)
	}
}

func TestSlowPeerIsNotGivenUp(t *testing.T) {
	c, p := silentPeer(t, true)
	r := post("x")
	r.Deadline = 4 * time.Second // more than twice what a hung one is given
	_, err := c.Invoke(within(t), p.peer(), r)
	var e *invoke.Error
	if !errors.As(err, &e) || e.Code != invoke.CodeDeadline {
		t.Errorf("error %v, want that its deadline passed", err)
	}
	if n := len(p.a.Network().ConnsToPeer(p.peer())); n == 0 {
		t.Error("the connection was closed although the peer answers pings")
	}
}
