package sched

import "time"

const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
	// healthGain is how much of its health one outcome decides.
	healthGain = 0.2
	// honestyLoss and honestyGain: each broken promise takes a fifth of the
	// honesty, each kept one gives back a fiftieth of what is missing.
	honestyLoss = 0.2
	honestyGain = 0.02
	// doubtful is below what honesty the next disappointment opens the breaker.
	doubtful = 0.2
	// freshEnough is the age up to which a report can be held against who
	// refuses: older ones were perhaps true.
	freshEnough = time.Second
)

// breaker keeps work from a failing neighbour: for 1 s after the first failure,
// and twice as long after each that follows, up to 30 s. After a pause one
// attempt is let through; its success closes the breaker. The zero value is closed.
type breaker struct {
	pause  time.Duration // 0: closed
	until  time.Duration
	trying bool
}

func (b *breaker) allows(now time.Duration) bool { return b.pause == 0 || now >= b.until && !b.trying }

func (b *breaker) failed(now time.Duration) {
	if b.pause > 0 && now < b.until {
		return // sent before the pause
	}
	b.pause = min(max(firstPause, 2*b.pause), lastPause)
	b.until, b.trying = now+b.pause, false
}

func (s *standing) absent() bool { return !s.heard || s.breaker.pause > 0 }

func (s *standing) candidate(now time.Duration) bool { return s.heard && s.breaker.allows(now) }

// present counts s no longer as absent, if it is so.
func (t *Table) present(s *standing) {
	if !s.absent() {
		t.absent--
	}
}

// Failed says that something sent there got no answer: nothing is sent there
// for a while.
func (t *Table) Failed(place int, now time.Duration) {
	t.neighbours[place].Health *= 1 - healthGain
	t.shut(place, now)
}

func (t *Table) shut(place int, now time.Duration) {
	s := &t.standings[place]
	if !s.absent() {
		t.absent++
	}
	s.breaker.failed(now)
}

// Answered says that the neighbour did its part.
func (t *Table) Answered(place int) {
	n := &t.neighbours[place]
	n.Health += healthGain * (1 - n.Health)
	n.Honesty += honestyGain * (1 - n.Honesty)
	t.open(place)
}

func (t *Table) open(place int) {
	if s := &t.standings[place]; s.breaker.pause > 0 {
		s.breaker = breaker{}
		t.present(s)
	}
}

// Refused says that the neighbour refused what was sent while its report was
// promised: who claims to be idle and refuses loses honesty.
func (t *Table) Refused(place int, promised Promise, now time.Duration) {
	n := &t.neighbours[place]
	if !promised.Idle || promised.Age > freshEnough {
		t.open(place) // it is full, as it says, and well
		return
	}
	if n.Honesty *= 1 - honestyLoss; n.Honesty < doubtful {
		t.shut(place, now)
	}
}

// Promise is what a neighbour's report let expect when something was sent there.
type Promise struct {
	Age  time.Duration
	Idle bool // a server was free, own sends reckoned in
}

// Promise is what to hold against the neighbour if it refuses what is sent now.
// Ask before Send.
func (t *Table) Promise(place int, now time.Duration) Promise {
	n, s := &t.neighbours[place], &t.standings[place]
	if s.breaker.pause > 0 && now >= s.breaker.until {
		s.breaker.trying = true
	}
	return Promise{Age: n.Age(now), Idle: n.Load.Wait == 0 && n.Queue() < n.Load.Servers}
}
