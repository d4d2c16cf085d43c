package rl

import (
	"fmt"
	"slices"
)

// externalKnowledge is what a learner elsewhere, which outlives this policy,
// relies on.
type externalKnowledge struct {
	Steps uint64      `json:"steps"`
	Seats map[key]int `json:"seats"`
}

func (p *external) features() string { return fmt.Sprintf("types %d", p.types) }

// Snapshot implements sched.Snapshotter.
func (p *external) Snapshot() ([]byte, error) {
	k := externalKnowledge{Steps: p.steps, Seats: make(map[key]int)}
	for id, number := range p.seats.of {
		k.Seats[key{id}] = number
	}
	return pack("external", p.features(), k)
}

// Restore implements sched.Snapshotter. What is wrong leaves all as it was.
func (p *external) Restore(data []byte) error {
	var k externalKnowledge
	if err := unpack(data, "external", p.features(), &k); err != nil {
		return err
	}
	fresh := p.seats.empty()
	for k, number := range k.Seats {
		if number < 0 || number >= fresh.most {
			return fmt.Errorf("%w: seat %d of %d", ErrCorrupt, number, fresh.most)
		}
		fresh.taken = slices.Grow(fresh.taken, fresh.most)[:max(len(fresh.taken), number+1)]
		if fresh.taken[number].peer != "" {
			return fmt.Errorf("%w: two peers have seat %d", ErrCorrupt, number)
		}
		fresh.taken[number].peer = k.id
		fresh.of[k.id] = number
	}
	p.seats, p.steps = fresh, k.Steps
	return nil
}
