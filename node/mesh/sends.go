package mesh

import "time"

// maxSends bounds how many of our sends to one neighbour are remembered. It is
// beyond what a node has open at a time.
const maxSends = 1024

// send is one of ours that is on its way to a neighbour or under its care.
type send struct {
	at      time.Duration // when it left here
	arrives time.Duration // when it gets there: half a round trip later
	counted bool          // no report included it so far
	work    time.Duration // how long it is expected to run there
	promise promise
}

// promise is what the neighbour's report said when we sent.
type promise struct {
	wait time.Duration // until a newcomer would start
	age  time.Duration // of the report
	idle bool          // a server was free, own sends reckoned in
}

// sends are the outstanding ones to one neighbour, in the order they left.
type sends struct {
	list  []send
	count int           // of those counted
	work  time.Duration // of the same
}

func (s *sends) add(now, oneWay, work time.Duration, p promise) {
	if len(s.list) >= maxSends {
		s.remove(0)
	}
	s.list = append(s.list, send{at: now, arrives: now + oneWay, counted: true, work: work, promise: p})
	s.count++
	s.work += work
}

// reported says that a report was sampled at that time: it includes what had
// arrived before.
func (s *sends) reported(sampled time.Duration) {
	if s.count == 0 {
		return
	}
	for i := range s.list {
		if s.list[i].counted && s.list[i].arrives < sampled {
			s.list[i].counted = false
			s.count--
			s.work -= s.list[i].work
		}
	}
}

// done ends the send that left nearest to at, and returns its promise.
func (s *sends) done(at time.Duration) (promise, bool) {
	best := -1
	for i := range s.list {
		if best < 0 || distance(s.list[i].at, at) < distance(s.list[best].at, at) {
			best = i
		}
	}
	if best < 0 {
		return promise{}, false
	}
	p := s.list[best].promise
	s.remove(best)
	return p, true
}

func (s *sends) remove(i int) {
	if s.list[i].counted {
		s.count--
		s.work -= s.list[i].work
	}
	s.list = append(s.list[:i], s.list[i+1:]...)
}

func distance(a, b time.Duration) time.Duration { return max(a-b, b-a) }
