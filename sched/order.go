package sched

import (
	"cmp"
	"fmt"
)

// Order says who of the waiting is served first. Whatever it is, a higher
// Priority goes before a lower one.
type Order uint8

const (
	// OrderFIFO serves who arrived first.
	OrderFIFO Order = iota
	// OrderDeadline serves the earliest deadline, those without one last.
	OrderDeadline
	// OrderMooreHodgson serves the earliest deadline too, but leaves aside as few as
	// possible of those that cannot all be on time, and serves who arrived first while
	// all deadlines are far off. Moore, "An n job, one machine sequencing
	// algorithm for minimizing the number of late jobs" (Management Science 15, 1968).
	OrderMooreHodgson
)

// orderNames are what operators write, by Order.
var orderNames = [...]string{"fifo", "deadline", "moore-hodgson"}

func (o Order) String() string {
	if int(o) < len(orderNames) {
		return orderNames[o]
	}
	return fmt.Sprintf("order-%d", uint8(o))
}

// ParseOrder reads what String writes; other text is an [ErrBadValue].
func ParseOrder(text string) (Order, error) {
	for o, name := range orderNames {
		if text == name {
			return Order(o), nil
		}
	}
	return 0, fmt.Errorf("%w %q: accepted is one of fifo, deadline, moore-hodgson", ErrBadValue, text)
}

// compare is negative if x is before y in line.
func (o Order) compare(x, y *Entry) int {
	if x.Priority != y.Priority {
		return cmp.Compare(y.Priority, x.Priority)
	}
	if o != OrderFIFO && x.Deadline != y.Deadline {
		if x.Deadline == 0 || y.Deadline == 0 {
			return cmp.Compare(y.Deadline, x.Deadline)
		}
		return cmp.Compare(x.Deadline, y.Deadline)
	}
	return cmp.Compare(x.Arrived, y.Arrived)
}
