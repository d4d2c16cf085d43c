package sched

import "time"

// maxSends bounds how many of a node's sends to one neighbour are remembered.
const maxSends = 1024

// Sent names one send of [Table.Send].
type Sent uint32

// send is one that is on its way to a neighbour or under its care.
type send struct {
	name    Sent
	arrives time.Duration
	work    time.Duration
}

// sends are those to one neighbour that no report includes yet.
type sends struct {
	list []send
	next Sent
}

// Send says that an invocation leaves for a neighbour, arrives there at that
// time and is expected to run for work.
func (t *Table) Send(place int, arrives, work time.Duration) Sent {
	n, s := &t.neighbours[place], &t.standings[place].sends
	if len(s.list) >= maxSends {
		s.remove(n, 0)
	}
	s.next++
	s.list = append(s.list, send{name: s.next, arrives: arrives, work: work})
	n.OwnSends++
	n.OwnWork += work
	return s.next
}

// Ended says that a send has been answered, refused or lost: whatever the
// reports say, it is not under the neighbour's care any more.
func (t *Table) Ended(place int, name Sent) {
	s := &t.standings[place].sends
	for i := range s.list {
		if s.list[i].name == name {
			s.remove(&t.neighbours[place], i)
			return
		}
	}
}

// reported says that a report was sampled at that time: it includes what had
// arrived before.
func (s *sends) reported(n *Neighbour, sampled time.Duration) {
	for i := 0; i < len(s.list); {
		if s.list[i].arrives < sampled {
			s.remove(n, i)
			continue
		}
		i++
	}
}

func (s *sends) remove(n *Neighbour, i int) {
	n.OwnSends--
	n.OwnWork -= s.list[i].work
	s.list = append(s.list[:i], s.list[i+1:]...)
}
