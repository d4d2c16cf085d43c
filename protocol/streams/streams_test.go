package streams

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	id    = "/test/1.0.0"
	limit = 30 * time.Second
)

func newHost(t *testing.T) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func newService(t *testing.T, cfg Config, serve Serve) (*Service, host.Host) {
	t.Helper()
	h := newHost(t)
	cfg.ID, cfg.Service = id, "test"
	s := New(h, cfg, serve)
	s.Start()
	t.Cleanup(func() { _ = s.Close() })
	return s, h
}

// open opens a stream from h and sends one byte, so that the other side hears
// of it.
func open(t *testing.T, h, to host.Host) network.Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := h.Connect(ctx, peer.AddrInfo{ID: to.ID(), Addrs: to.Addrs()}); err != nil {
		t.Fatal(err)
	}
	s, err := h.NewStream(ctx, to.ID(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Reset() })
	_ = s.SetDeadline(time.Now().Add(limit))
	_, _ = s.Write([]byte{1})
	return s
}

// echo answers each byte until the stream ends.
func echo(_ context.Context, s network.Stream) error {
	_, err := io.Copy(s, s)
	return err
}

func answers(s network.Stream) bool {
	var b [1]byte
	_, err := io.ReadFull(s, b[:])
	return err == nil
}

func TestBoundsPerPeerAndInAll(t *testing.T) {
	_, server := newService(t, Config{Max: 3, MaxPerPeer: 2}, echo)
	greedy, other, late := newHost(t), newHost(t), newHost(t)
	first, second := open(t, greedy, server), open(t, greedy, server)
	if !answers(first) || !answers(second) {
		t.Fatal("a stream within the bounds is not served")
	}
	if answers(open(t, greedy, server)) {
		t.Error("a third stream of one peer is served, want 2 at most")
	}
	if !answers(open(t, other, server)) {
		t.Error("another peer is not served")
	}
	if answers(open(t, late, server)) {
		t.Error("a fourth stream is served, want 3 at most")
	}
	_ = first.CloseWrite()
	_, _ = io.ReadAll(first)
	for end := time.Now().Add(limit); !answers(open(t, late, server)); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the place of a stream that has ended is not given to another")
		}
	}
}

func TestCloseEndsWhatIsServedAndWaits(t *testing.T) {
	returned := make(chan error, 1)
	s, server := newService(t, Config{}, func(ctx context.Context, s network.Stream) error {
		_, _ = s.Write([]byte{1})
		_, err := io.ReadAll(s)
		returned <- errors.Join(err, context.Cause(ctx))
		return err
	})
	stream := open(t, newHost(t), server)
	if !answers(stream) {
		t.Fatal("not served")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-returned:
		if !errors.Is(err, context.Canceled) || !errors.Is(err, network.ErrReset) {
			t.Errorf("served until %v, want a reset and a cancelled context", err)
		}
	default:
		t.Error("Close returned before what it serves did")
	}
}

func TestErrorsReset(t *testing.T) {
	_, server := newService(t, Config{}, func(context.Context, network.Stream) error { return errors.New("broken") })
	_, err := io.ReadAll(open(t, newHost(t), server))
	if !errors.Is(err, network.ErrReset) {
		t.Errorf("stream ended with %v, want a reset", err)
	}
}
