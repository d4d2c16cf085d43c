package node

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// A function's inner call names the invocation that it belongs to (header
// X-P2pfaas-Parent, which the function was given). While that one runs here it
// holds a server, and waits for the inner call: so the inner call takes none of
// its own, or a full node would wait for itself.

// maxDepth bounds the hops and inner calls of one invocation together.
const maxDepth = 16

// maxBorrowed bounds the inner calls of one invocation that run at once.
const maxBorrowed = 64

// parentage is where an invocation belongs: the invocation that made it, and
// what it has left.
type parentage struct {
	call     string
	key      string // known to what runs on the same node
	depth    int
	deadline time.Duration // left when the function was called, 0 for none
}

func (p parentage) String() string {
	var room [192]byte
	b := append(append(room[:0], p.call...), ";hops="...)
	b = strconv.AppendInt(b, int64(p.depth), 10)
	if p.key != "" {
		b = append(append(b, ";key="...), p.key...)
	}
	if p.deadline > 0 {
		b = append(append(b, ";deadline="...), p.deadline.String()...)
	}
	return string(b)
}

// parseParentage reads what String wrote. Parts that it does not know are of a
// later version, and left alone.
func parseParentage(s string) (p parentage, err error) {
	p.call, s, _ = strings.Cut(s, ";")
	for part := range strings.SplitSeq(s, ";") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "hops":
			p.depth, err = strconv.Atoi(value)
		case "key":
			p.key = value
		case "deadline":
			p.deadline, err = time.ParseDuration(value)
		}
		if err != nil || p.depth < 0 || p.deadline < 0 {
			return p, &invoke.Error{Code: invoke.CodeBadRequest, Text: fmt.Sprintf("parent %q: pass on the header X-P2pfaas-Parent as the function got it", part)}
		}
	}
	return p, nil
}

// parentOf is what the inner calls of inv are to be told.
func parentOf(inv *invocation, key string, now time.Duration) parentage {
	return parentage{call: inv.CallID, key: key, depth: inv.depth + len(inv.Hops) + 1, deadline: inv.left(now)}
}

// isInner tells whether what made inv runs here, and waits for it.
func (d *dispatcher) isInner(inv *invocation) bool {
	if inv.Parent == "" {
		return false
	}
	p, err := parseParentage(inv.Parent)
	return err == nil && d.parent(p) != nil
}

// parent is the invocation, if it runs here. Whoever does not know the key only
// claims to belong to it.
func (d *dispatcher) parent(p parentage) *invocation {
	if p.call == "" || p.key != d.running.key {
		return nil
	}
	return d.running.find(p.call)
}

// adopt reads whose inner call inv is, and gives it that one's deadline if its
// own is later.
func (d *dispatcher) adopt(inv *invocation) error {
	if inv.Parent == "" {
		return nil
	}
	p, err := parseParentage(inv.Parent)
	if err != nil {
		return err
	}
	inv.depth = p.depth
	if inv.depth+len(inv.Hops) > maxDepth {
		return &invoke.Error{Code: invoke.CodeLoop, Text: fmt.Sprintf("%d hops and inner calls so far; %d are the most: do the functions call each other in a circle?", inv.depth+len(inv.Hops), maxDepth)}
	}
	inv.parent = d.parent(p)
	left := p.deadline
	if inv.parent != nil {
		left = inv.parent.left(inv.received)
	}
	if left > 0 && (inv.Deadline == 0 || left < inv.Deadline) {
		inv.Deadline = left
	}
	return nil
}

// running is what runs here, in the order in which it began. Its key is random;
// functions get it with X-P2pfaas-Parent.
type running struct {
	key string

	mu          sync.Mutex
	first, last *invocation
}

// links are an invocation's in the list of what runs.
type links struct{ before, after *invocation }

func newRunning() running { return running{key: newCallID()} }

func (r *running) add(inv *invocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	inv.beside = links{before: r.last}
	if r.last == nil {
		r.first = inv
	} else {
		r.last.beside.after = inv
	}
	r.last = inv
}

// remove is for what was added, once.
func (r *running) remove(inv *invocation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, after := inv.beside.before, inv.beside.after
	inv.beside = links{}
	if before == nil {
		r.first = after
	} else {
		before.beside.after = after
	}
	if after == nil {
		r.last = before
	} else {
		after.beside.before = before
	}
}

// find is the first of that ID: an inner call may have its parent's.
func (r *running) find(call string) *invocation {
	r.mu.Lock()
	defer r.mu.Unlock()
	for inv := r.first; inv != nil; inv = inv.beside.after {
		if inv.CallID == call {
			return inv
		}
	}
	return nil
}

// borrow lets inv run within the slot of its parent; nil if it cannot.
func (d *dispatcher) borrow(inv *invocation) *slot {
	parent := inv.parent
	if parent == nil || parent.borrowed.Add(1) > maxBorrowed {
		if parent != nil {
			parent.borrowed.Add(-1)
		}
		return nil
	}
	s := d.slots.borrow()
	s.then = func() { parent.borrowed.Add(-1) }
	return s
}
