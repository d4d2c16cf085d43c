package share

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is generous: the machine may be busy with other things.
const limit = 30 * time.Second

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// speaker is a node that says the same all the time.
type speaker struct {
	corehost.Host
	counter  atomic.Uint64
	saying   atomic.Pointer[[]byte]
	mu       sync.Mutex // guards what follows
	heard    map[peer.ID]string
	strange  map[peer.ID]bool
	listened int
}

func newSpeaker(t *testing.T, says string) *speaker {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	s := &speaker{Host: h, heard: make(map[peer.ID]string), strange: make(map[peer.ID]bool)}
	s.say(says)
	return s
}

func (s *speaker) say(text string) {
	b := []byte(text)
	s.saying.Store(&b)
}

// join starts a topic, which ends with the test if not before.
func (s *speaker) join(t *testing.T, period time.Duration) *Topic {
	t.Helper()
	topic, err := NewTopic(s, Config{Mesh: "test", Incarnation: 1, Counter: &s.counter, Period: period,
		Own: func() []byte { return *s.saying.Load() }, Hear: s.hear, Member: s.member})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = topic.Close() })
	if err = topic.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return topic
}

func (s *speaker) hear(from peer.ID, said []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[from] = string(said)
	s.listened++
}

func (s *speaker) member(p peer.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.strange[p]
}

func (s *speaker) of(p peer.ID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard[p]
}

func connect(t *testing.T, a, b corehost.Host) {
	t.Helper()
	if err := a.Connect(context.Background(), peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

// TestTopicReachesWhoJoinsLate: also by way of another, and again after leaving.
func TestTopicReachesWhoJoinsLate(t *testing.T) {
	a, b, c := newSpeaker(t, "a"), newSpeaker(t, "b"), newSpeaker(t, "c")
	connect(t, a, b)
	connect(t, b, c)
	const period = 100 * time.Millisecond
	a.join(t, period)
	b.join(t, period)
	eventually(t, "two hear each other", func() bool { return a.of(b.ID()) == "b" && b.of(a.ID()) == "a" })
	topic := c.join(t, period)
	eventually(t, "the third hears the first, and it the third", func() bool { return c.of(a.ID()) == "a" && a.of(c.ID()) == "c" })
	if err := topic.Close(); err != nil {
		t.Fatal(err)
	}
	if err := topic.Start(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("started again: %v", err)
	}
	c.say("again")
	c.join(t, period)
	eventually(t, "it is heard again", func() bool { return a.of(c.ID()) == "again" })
}

// TestTopicIsForMembers: a stranger is not heard and not told, and is once it is one.
func TestTopicIsForMembers(t *testing.T) {
	a, b, stranger := newSpeaker(t, "a"), newSpeaker(t, "b"), newSpeaker(t, "stranger")
	a.strange[stranger.ID()] = true
	for _, o := range []*speaker{b, stranger} {
		connect(t, a, o)
	}
	const period = 100 * time.Millisecond
	for _, s := range []*speaker{a, b, stranger} {
		s.join(t, period)
	}
	eventually(t, "the members hear each other", func() bool { return a.of(b.ID()) == "b" && b.of(a.ID()) == "a" })
	before := stranger.counter.Load()
	eventually(t, "the stranger has spoken", func() bool { return stranger.counter.Load() > before+5 })
	if a.of(stranger.ID()) != "" || stranger.of(a.ID()) != "" {
		t.Fatal("a stranger was heard or told")
	}
	a.mu.Lock()
	delete(a.strange, stranger.ID())
	a.mu.Unlock()
	eventually(t, "a member by now, it is heard", func() bool { return a.of(stranger.ID()) == "stranger" })
}

// TestTooMuchAndTooOftenIsRefused: of 50 statements a period few are heard, and none
// that is too large.
func TestTooMuchAndTooOftenIsRefused(t *testing.T) {
	a, noisy, large := newSpeaker(t, "a"), newSpeaker(t, "noisy"), newSpeaker(t, string(make([]byte, MaxStatement+1)))
	connect(t, a, noisy)
	connect(t, a, large)
	topic := a.join(t, 5*time.Second)
	noisy.join(t, 20*time.Millisecond)
	large.join(t, 100*time.Millisecond)
	eventually(t, "many are refused", func() bool { return topic.Refused() > 30 && large.counter.Load() > 10 })
	if a.of(large.ID()) != "" {
		t.Error("what is too large was heard")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.heard[noisy.ID()] != "noisy" || uint64(a.listened) > topic.Refused() {
		t.Errorf("%d statements heard of %d", a.listened, noisy.counter.Load())
	}
}

func TestSigners(t *testing.T) {
	now := time.Now()
	s := newSigners(time.Second)
	say := func(incarnation, counter uint64) bool {
		return s.accept("a", &envelope{incarnation: incarnation, counter: counter}, now)
	}
	for i, step := range []struct {
		incarnation, counter uint64
		after                time.Duration
		want                 bool
	}{
		{1, 5, 0, true}, {1, 5, time.Second, false}, {1, 4, time.Second, false}, {1, 6, 0, true},
		{2, 1, time.Second, true}, {1, 99, time.Second, false},
		{2, 2, 0, true}, {2, 3, 0, true}, {2, 4, 0, true}, {2, 5, 0, false}, {2, 5, time.Second, true},
	} {
		now = now.Add(step.after)
		if got := say(step.incarnation, step.counter); got != step.want {
			t.Errorf("step %d, %+v: accepted %v", i, step, got)
		}
	}
}

func FuzzEnvelope(f *testing.F) {
	good := envelope{3, 7, []byte("what was learned")}
	f.Add(good.append(nil))
	f.Add([]byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parse(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Fatal(err)
			}
			return
		}
		again, err := parse(e.append(nil))
		if err != nil || again.incarnation != e.incarnation || again.counter != e.counter || !bytes.Equal(again.statement, e.statement) {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
	})
}
