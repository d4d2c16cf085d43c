package mesh

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/host"
)

// A neighbour that nobody asks any more must be asked again one day.
func TestTimeHeals(t *testing.T) {
	n := newNeighbour("p", host.Member{}, 0)
	for range 40 {
		n.honesty, n.health = honestyAfter(n.honesty, false), n.health*(1-healthGain)
	}
	n.heal(time.Second)
	if n.honesty < 0.02 || n.honesty > 0.1 {
		t.Errorf("honesty %v a second after 40 broken promises: want little, but enough to be asked", n.honesty)
	}
	n.heal(2 * time.Minute)
	if n.honesty < 0.95 || n.health < 0.95 {
		t.Errorf("honesty %v, health %v two minutes later: want it forgotten", n.honesty, n.health)
	}
}

func TestBreaker(t *testing.T) {
	var b breaker
	if !b.allows(0) || !b.failed(0) {
		t.Fatal("the zero breaker is not closed")
	}
	if b.failed(10 * ms) {
		t.Fatal("a failure during the pause counts as opening")
	}
	if b.pause != firstPause || b.allows(999*ms) || !b.allows(time.Second) {
		t.Fatalf("after one failure: pause %v, want %v", b.pause, firstPause)
	}
	b.sent(time.Second)
	if b.allows(time.Second + ms) {
		t.Fatal("two attempts after one pause")
	}
	b.failed(1500 * ms)
	if b.pause != 2*firstPause || b.allows(3400*ms) || !b.allows(3500*ms) {
		t.Fatalf("after a failed attempt: pause %v, want %v", b.pause, 2*firstPause)
	}
	b.sent(4 * time.Second)
	b.abandoned()
	if !b.allows(4 * time.Second) {
		t.Fatal("an abandoned attempt still bars the next")
	}
	if !b.succeeded() || !b.allows(4*time.Second) || b.succeeded() {
		t.Fatal("a success does not close it, or closes it twice")
	}
}

func TestBreakerNeverShutsForGood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b breaker
		now := time.Duration(0)
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(0, 40_000).Draw(t, "dt")) * ms
			if rapid.Bool().Draw(t, "send") && b.allows(now) {
				b.sent(now)
			}
			if rapid.Bool().Draw(t, "fail") {
				b.failed(now)
			}
		}
		if b.pause > lastPause {
			t.Fatalf("pause of %v, want at most %v", b.pause, lastPause)
		}
		if later := now + lastPause; !b.allows(later) {
			t.Fatalf("shut %v after the last event: %+v", lastPause, b)
		}
	})
}

func TestHonesty(t *testing.T) {
	idle := promise{idle: true, age: 10 * ms}
	for name, c := range map[string]struct {
		broken bool
		want   bool
	}{
		"refuses while idle":          {brokenByRefusal(idle), true},
		"refuses, report old":         {brokenByRefusal(promise{idle: true, age: 2 * time.Second}), false},
		"refuses, had said it's busy": {brokenByRefusal(promise{wait: time.Second}), false},
		"starts at once":              {brokenByWait(idle, 5*ms), false},
		"starts within the slack":     {brokenByWait(idle, 100*ms), false},
		"starts late":                 {brokenByWait(idle, 500*ms), true},
		"late, report old":            {brokenByWait(promise{age: time.Second}, 500*ms), false},
		"twice the promise":           {brokenByWait(promise{wait: time.Second}, 2*time.Second), false},
	} {
		if c.broken != c.want {
			t.Errorf("%s: broken %v, want %v", name, c.broken, c.want)
		}
	}
	h := 1.0
	for range 20 {
		h = honestyAfter(h, false)
	}
	if h > 0.05 {
		t.Errorf("honesty %v after 20 broken promises, want next to nothing", h)
	}
	for range 20 {
		h = honestyAfter(h, true)
	}
	if h > 0.5 {
		t.Errorf("honesty %v: regained as fast as lost", h)
	}
}

func TestRTT(t *testing.T) {
	var r rtt
	r.add(0, 20*ms)
	for i := range 50 {
		r.add(time.Duration(i)*time.Second, 10*ms)
	}
	if r.smoothed < 10*ms || r.smoothed > 11*ms || r.least != 10*ms || r.oneWay() != 5*ms {
		t.Fatalf("smoothed %v, least %v, want about 10 ms and 10 ms", r.smoothed, r.least)
	}
	for i := range 10 { // the route got longer
		r.add(time.Minute*time.Duration(i+2), 30*ms)
	}
	if r.least != 30*ms {
		t.Fatalf("least %v long after the route changed, want 30 ms", r.least)
	}
	r.add(time.Hour, -ms)
	if r.samples != 61 {
		t.Fatal("a sample that is none was taken")
	}
}
