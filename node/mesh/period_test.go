package mesh

import (
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

func TestPeriodFollowsMembers(t *testing.T) {
	for members, want := range map[int]time.Duration{0: time.Second, 4: time.Second, 9: 2 * time.Second, 49: 10 * time.Second, 64: 13 * time.Second} {
		f := newFixture(t, 64)
		for i := range members {
			f.join(peer.ID(fmt.Sprintf("%034d", i)))
		}
		if got := f.period(); got != want {
			t.Errorf("with %d members a report every %v, want %v", members, got, want)
		}
	}
}

func TestPeriodAsConfigured(t *testing.T) {
	m, err := New(Config{Host: newFixture(t, 1).cfg.Host, Mesh: "test", Incarnation: 1, Period: time.Minute,
		Self: newFixture(t, 1).cfg.Self, Functions: newFixture(t, 1).cfg.Functions})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.period(); got != time.Minute {
		t.Errorf("a report every %v", got)
	}
}

// Nine nodes in a line: the one in the middle has two connections, and hears all.
func TestPeriodCountsThoseWithoutAConnection(t *testing.T) {
	var ms []*member
	for range 9 {
		ms = append(ms, newMemberWith(t, Config{Max: 1}))
		if n := len(ms); n > 1 {
			meet(t, ms[n-2:]...)
		}
	}
	const want = 9 * time.Second / 5
	eventually(t, "the period is that of nine nodes", func() bool { return ms[4].period() == want })
}
