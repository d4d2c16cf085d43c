package sched

import "time"

// plan is what Moore and Hodgson's algorithm needs, kept from one use to the next.
type plan struct {
	longest heap // slots of the set, the longest work on top
	known   bool // chosen is the choice at time at, and nothing has changed since
	at      time.Duration
	chosen  int
}

// forget that anything was chosen: the line has changed.
func (p *plan) forget() { p.known = false }

// mooreHodgson chooses among those of the highest priority that wait: in
// deadline order their work is added up, and when one would end late, the longest so far
// leaves the set of those that can be on time. The earliest deadline of the set
// is next; if the set is empty, whoever is the most likely to be on time.
//
// As long as all deadlines are far off, each ease times as far as it and all that
// waits need, they are served as they came. Else callers that share one deadline
// would overtake each other by the microseconds that they took to come, and
// with more callers than servers some would wait for all others, over and over.
//
// It costs one pass without anybody late, n log n at worst.
func (q *Queue[T]) mooreHodgson(now time.Duration) int {
	p := &q.plan
	if !p.known || p.at != now {
		p.known, p.at, p.chosen = true, now, q.choose(now)
	}
	return p.chosen
}

func (q *Queue[T]) choose(now time.Duration) int {
	class := q.topClass()
	if q.atEase(class, now) {
		oldest, _ := q.oldest.top()
		return oldest
	}
	late := q.firstLate(class, now)
	if late == len(class) {
		return class[0]
	}
	q.fillSet(class, late, now)
	defer q.plan.longest.clear()
	for _, i := range class {
		if q.plan.longest.holds(i) {
			return i
		}
	}
	return q.likeliest(class, now)
}

// ease is more than bursts add to a line while it is served.
const ease = 10

// atEase tells whether each of class has far more time than it and all that
// waits need.
func (q *Queue[T]) atEase(class []int, now time.Duration) bool {
	all := now + ease*q.ExpectedWait()
	for _, i := range class {
		x := &q.slots[i]
		if x.entry.Deadline != 0 && all+ease*x.needs > x.entry.Deadline {
			return false
		}
	}
	return true
}

// topClass is the part of the line that has the highest priority.
func (q *Queue[T]) topClass() []int {
	top := q.slots[q.line[0]].entry.Priority
	end := len(q.line)
	if q.slots[q.line[end-1]].entry.Priority == top {
		return q.line
	}
	for end = 1; q.slots[q.line[end]].entry.Priority == top; end++ {
	}
	return q.line[:end]
}

// firstLate is the first of class that would end late if all were served in
// order, its length if none would.
func (q *Queue[T]) firstLate(class []int, now time.Duration) int {
	var ahead time.Duration
	for at, i := range class {
		if q.endsLate(i, now, ahead) {
			return at
		}
		ahead += q.slots[i].work
	}
	return len(class)
}

// fillSet puts those into the set that can be on time together, knowing which is
// the first that would be late.
func (q *Queue[T]) fillSet(class []int, late int, now time.Duration) {
	set := &q.plan.longest
	var ahead time.Duration
	for at, i := range class {
		overdue := at >= late && q.endsLate(i, now, ahead)
		set.add(i)
		ahead += q.slots[i].work
		if overdue {
			longest, _ := set.top()
			set.remove(longest)
			ahead -= q.slots[longest].work
		}
	}
}

// endsLate tells whether the slot's service would end past its deadline, with so
// much work ahead of it.
func (q *Queue[T]) endsLate(i int, now, ahead time.Duration) bool {
	x := &q.slots[i]
	return x.entry.Deadline != 0 && now+ahead/time.Duration(q.cfg.Servers)+x.needs > x.entry.Deadline
}

// longer orders the set: more work first, of equal work the earliest deadline.
func (q *Queue[T]) longer(a, b int) bool {
	x, y := q.slots[a].work, q.slots[b].work
	if x != y {
		return x > y
	}
	return q.compare(a, b) < 0
}

func (q *Queue[T]) likeliest(class []int, now time.Duration) int {
	best, chance := class[0], -1.0
	for _, i := range class {
		if c := q.slots[i].entry.onTime(now); c > chance {
			best, chance = i, c
		}
	}
	return best
}

// easyFor tells whether a newcomer of that deadline would leave the line at ease.
func (q *Queue[T]) easyFor(now, deadline time.Duration) bool {
	return len(q.line) == 0 ||
		(deadline == 0 || now+ease*q.ExpectedWait() <= deadline) && q.atEase(q.topClass(), now)
}
