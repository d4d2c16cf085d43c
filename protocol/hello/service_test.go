package hello

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

// doorman admits its own mesh and notes what happens.
type doorman struct {
	own Hello

	mu      sync.Mutex
	greeted []Hello
	failed  []error
}

func (d *doorman) Connected(network.Conn) {}

func (d *doorman) Disconnected(network.Conn) {}

func (d *doorman) Own() Hello { return d.own }

func (d *doorman) Admit(_ network.Conn, h *Hello) *Refusal {
	if h.Mesh != d.own.Mesh {
		return &Refusal{Code: WrongMesh, Text: "this is mesh " + d.own.Mesh}
	}
	return nil
}

func (d *doorman) Greeted(_ network.Conn, h *Hello) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.greeted = append(d.greeted, *h)
}

func (d *doorman) Failed(_ network.Conn, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed = append(d.failed, err)
}

func (d *doorman) seen() (greeted []Hello, failed []error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Hello(nil), d.greeted...), append([]error(nil), d.failed...)
}

// newHost is a stock libp2p host on loopback.
func newHost(t *testing.T, transport string) host.Host {
	t.Helper()
	listen := map[string]string{"tcp": "/ip4/127.0.0.1/tcp/0", "quic": "/ip4/127.0.0.1/udp/0/quic-v1"}[transport]
	h, err := libp2p.New(libp2p.ListenAddrStrings(listen), libp2p.DisableMetrics(), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func newService(t *testing.T, transport, mesh string, silence time.Duration) (host.Host, *doorman) {
	t.Helper()
	h, d := newHost(t, transport), &doorman{own: Hello{Mesh: mesh, Version: "of " + mesh}}
	s := New(h, d)
	s.silence, s.timeout = silence, min(silence, s.timeout)
	s.Start()
	t.Cleanup(func() { _ = s.Close() })
	return h, d
}

func connect(t *testing.T, from, to host.Host) network.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	from.Peerstore().AddAddrs(to.ID(), to.Network().ListenAddresses(), time.Hour)
	c, err := from.Network().DialPeer(ctx, to.ID())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// outcome waits until a door has decided once.
func outcome(t *testing.T, d *doorman) (*Hello, error) {
	t.Helper()
	eventually(t, "a decision", func() bool { g, f := d.seen(); return len(g)+len(f) > 0 })
	g, f := d.seen()
	if len(g)+len(f) != 1 {
		t.Fatalf("%d greetings and %d failures, want one of them", len(g), len(f))
	}
	if len(f) == 1 {
		return nil, f[0]
	}
	return &g[0], nil
}

func gone(h host.Host, p peer.ID) func() bool {
	return func() bool { return len(h.Network().ConnsToPeer(p)) == 0 }
}

func TestBothSidesGreet(t *testing.T) {
	for _, transport := range []string{"tcp", "quic"} {
		a, da := newService(t, transport, "m", Silence)
		b, db := newService(t, transport, "m", Silence)
		connect(t, a, b)
		for _, d := range []*doorman{da, db} {
			if h, err := outcome(t, d); err != nil || h.Version != "of m" {
				t.Errorf("%s: %v, %v", transport, h, err)
			}
		}
		if gone(a, b.ID())() {
			t.Error("the connection was closed")
		}
	}
}

func TestWrongMeshIsToldWhy(t *testing.T) {
	for _, transport := range []string{"tcp", "quic"} {
		a, da := newService(t, transport, "one", Silence)
		b, db := newService(t, transport, "two", Silence)
		connect(t, a, b)
		var r *Refusal
		if _, err := outcome(t, da); !errors.As(err, &r) || r.Code != WrongMesh || !r.Remote || r.Text != "this is mesh two" {
			t.Errorf("%s: the dialler learnt %v", transport, err)
		}
		if _, err := outcome(t, db); !errors.As(err, &r) || r.Code != WrongMesh || r.Remote {
			t.Errorf("%s: the other side noted %v", transport, err)
		}
		eventually(t, "closed", gone(a, b.ID()))
		eventually(t, "closed", gone(b, a.ID()))
	}
}

// say opens a hello stream with raw bytes and returns the answer.
func say(t *testing.T, from, to host.Host, raw []byte) (message, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := from.NewStream(ctx, to.ID(), ID)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.SetDeadline(time.Now().Add(patience))
	if _, err := s.Write(raw); err != nil {
		t.Fatal(err)
	}
	_ = s.CloseWrite()
	defer s.Close()
	return read(s)
}

func TestGarbageIsToldWhy(t *testing.T) {
	for name, raw := range map[string][]byte{
		"http":      []byte("GET / HTTP/1.1\r\n\r\n"),
		"too long":  {0xff, 0xff, 0xff, 0x0f},
		"cut":       {20, 10, 1},
		"nothing":   {},
		"empty":     {0},
		"bad names": {7, 0x0a, 5, 'A', 'B', '\n', 'C', 'D'},
	} {
		t.Run(name, func(t *testing.T) {
			h, d := newService(t, "tcp", "m", Silence)
			stranger := newHost(t, "tcp")
			connect(t, stranger, h)
			answer, err := say(t, stranger, h, raw)
			if err != nil || answer.code != Malformed || answer.text == "" {
				t.Errorf("answer %v %q, %v", answer.code, answer.text, err)
			}
			if _, err := outcome(t, d); err == nil {
				t.Error("greeted")
			}
			eventually(t, "closed", gone(h, stranger.ID()))
		})
	}
}

func TestSilentPeer(t *testing.T) {
	h, d := newService(t, "tcp", "m", 100*time.Millisecond)
	stranger := newHost(t, "tcp")
	connect(t, stranger, h)
	if _, err := outcome(t, d); !errors.Is(err, ErrSilent) {
		t.Errorf("noted %v", err)
	}
	eventually(t, "closed", gone(h, stranger.ID()))
}

func TestSilentPeerThatIsProtected(t *testing.T) {
	h, d := newService(t, "tcp", "m", 50*time.Millisecond)
	stranger := newHost(t, "tcp")
	h.ConnManager().Protect(stranger.ID(), "test")
	connect(t, stranger, h)
	time.Sleep(300 * time.Millisecond)
	if _, failed := d.seen(); len(failed) > 0 || gone(h, stranger.ID())() {
		t.Errorf("disconnected: %v", failed)
	}
}

func TestPeerThatDoesNotSpeak(t *testing.T) {
	h, d := newService(t, "tcp", "m", Silence)
	stranger := newHost(t, "tcp")
	connect(t, h, stranger)
	if _, err := outcome(t, d); !errors.Is(err, ErrNotSpoken) {
		t.Errorf("noted %v", err)
	}
	eventually(t, "closed", gone(h, stranger.ID()))
}

// A peer that takes the stream and says nothing holds nothing for long.
func TestPeerThatStalls(t *testing.T) {
	h, d := newService(t, "tcp", "m", 200*time.Millisecond)
	stranger := newHost(t, "tcp")
	stranger.SetStreamHandler(ID, func(s network.Stream) { _, _ = io.Copy(io.Discard, s) })
	connect(t, h, stranger)
	if _, err := outcome(t, d); err == nil {
		t.Error("greeted")
	}
	eventually(t, "closed", gone(h, stranger.ID()))
}

func TestHelloIsSaidOnce(t *testing.T) {
	h, d := newService(t, "tcp", "m", Silence)
	stranger := newHost(t, "tcp")
	connect(t, stranger, h)
	var b strings.Builder
	if err := write(&b, &message{Hello: Hello{Mesh: "m"}}); err != nil {
		t.Fatal(err)
	}
	if answer, err := say(t, stranger, h, []byte(b.String())); err != nil || answer.code != Accepted {
		t.Fatalf("first: %v, %v", answer.code, err)
	}
	eventually(t, "greeted", func() bool { g, _ := d.seen(); return len(g) == 1 })
	if answer, err := say(t, stranger, h, []byte(b.String())); err != nil || answer.code != Malformed {
		t.Errorf("second: %v, %v", answer.code, err)
	}
	eventually(t, "closed", gone(h, stranger.ID()))
	if g, _ := d.seen(); len(g) != 1 {
		t.Errorf("greeted %d times", len(g))
	}
}
