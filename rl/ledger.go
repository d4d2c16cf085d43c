package rl

// ledger keeps what was decided until its outcome is told, by the token that the
// decision bears. Outcomes may come in any order, late, twice or never: its memory
// grows to most entries, then the oldest is given up.
type ledger[R any] struct {
	slots []ledgerSlot[R] // a ring, its length a power of 2
	last  uint64          // token
	lost  uint64
}

type ledgerSlot[R any] struct {
	token  uint64 // 0 if none
	record R
}

const (
	ledgerLeast = 1 << 6
	ledgerMost  = 1 << 12
)

// open makes an entry. The record is to be filled in at once; it is as some
// earlier one left it.
func (l *ledger[R]) open() (token uint64, record *R) {
	l.last++
	if len(l.slots) == 0 {
		l.slots = make([]ledgerSlot[R], ledgerLeast)
	}
	if l.at(l.last).token != 0 && len(l.slots) < ledgerMost {
		l.grow()
	}
	s := l.at(l.last)
	if s.token != 0 {
		l.lost++
	}
	s.token = l.last
	return l.last, &s.record
}

// close ends the entry of that token and returns its record, nil if there is
// none. The record is valid until the next open.
func (l *ledger[R]) close(token uint64) *R {
	if token == 0 || len(l.slots) == 0 {
		return nil
	}
	s := l.at(token)
	if s.token != token {
		return nil
	}
	s.token = 0
	return &s.record
}

func (l *ledger[R]) at(token uint64) *ledgerSlot[R] {
	return &l.slots[token&uint64(len(l.slots)-1)]
}

func (l *ledger[R]) grow() {
	old := l.slots
	l.slots = make([]ledgerSlot[R], 2*len(old))
	for i := range old {
		if token := old[i].token; token != 0 {
			*l.at(token) = old[i]
		}
	}
}
