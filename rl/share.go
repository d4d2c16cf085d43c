package rl

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// ErrRefused: what a peer said of what it has learned is not taken in.
var ErrRefused = errors.New("refused")

const (
	// mostPeers bounds those whose statements are kept. More are refused until one
	// of them falls silent.
	mostPeers = 32
	// lapse is after what time without another a statement is forgotten.
	lapse = 2 * time.Minute
	// worth is how many outcomes one peer's word stands for at most, however many
	// it claims, and how many the belief stands for that nothing is to be corrected.
	worth = 20
	// mostWorth is that of all peers together: with more outcomes of its own than
	// these and worth, a node believes those rather than its peers.
	mostWorth = 4 * worth
)

// sharing is what peers have said, and what is made of it: for each weight of each
// function the robust mean of those who know it (see [account.mean]). It is kept beside the
// node's own weights and never mixed into them, so that it can be forgotten, and what is
// told to others is of this node's own outcomes.
type sharing struct {
	on    bool
	model estimator // one that knows nothing, to be asked
	said  map[peer.ID]*said
	lent  map[string]*account // by function
}

// said is the latest that a peer has said.
type said struct {
	at        time.Duration
	functions map[string]account
}

func (s *sharing) bind(settings *sched.Settings, fresh func() estimator) {
	settings.Bool(&s.on, "share", false, "exchange what was learned with nodes of this mesh that do so as well")
	s.said, s.lent = make(map[peer.ID]*said), make(map[string]*account)
	s.model = fresh()
}

// Sharing implements sched.Sharer.
func (c *corrector) Sharing() bool { return c.sharing.on }

// Share implements sched.Sharer: the functions with the most outcomes come first, and
// there are as many as there is room for.
func (c *corrector) Share(now time.Duration) []byte {
	if !c.sharing.on {
		return nil
	}
	c.lapse(now)
	accounts := make(map[string]account)
	for function, e := range c.models.entries {
		if e.value.outcomes > 0 && len(function) <= mostName {
			accounts[function] = e.value.estimator.account(now)
		}
	}
	order := slices.SortedFunc(maps.Keys(accounts), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.models.entries[b].value.outcomes, c.models.entries[a].value.outcomes), cmp.Compare(a, b))
	})
	return encode(digest(c.sharing.model.features()), order, accounts)
}

// Absorb implements sched.Sharer.
func (c *corrector) Absorb(from peer.ID, data []byte, now time.Duration) error {
	if !c.sharing.on {
		return fmt.Errorf("%w: this node does not share", ErrRefused)
	}
	c.lapse(now)
	before := c.sharing.said[from]
	if before == nil && len(c.sharing.said) >= mostPeers {
		return fmt.Errorf("%w: %d others are listened to already", ErrRefused, mostPeers)
	}
	functions, err := decode(data, c.sharing.model.features())
	if err != nil {
		return err
	}
	for function, a := range functions {
		if err := a.check(c.sharing.model); err != nil {
			return fmt.Errorf("%w: function %q: %w", ErrRefused, function, err)
		}
		c.sharing.model.leaveOut(a, from)
	}
	c.sharing.said[from] = &said{now, functions}
	c.weighAll(functions, now)
	if before != nil {
		c.weighAll(before.functions, now)
	}
	return nil
}

// lapse forgets who has fallen silent.
func (c *corrector) lapse(now time.Duration) {
	for id, s := range c.sharing.said {
		if now-s.at > lapse {
			delete(c.sharing.said, id)
			c.weighAll(s.functions, now)
		}
	}
}

// weighAll makes anew what peers are believed of those functions.
func (c *corrector) weighAll(functions map[string]account, now time.Duration) {
	order := slices.Sorted(maps.Keys(c.sharing.said)) // sums depend on it in the last digit
	for function := range functions {
		var others []account
		for _, id := range order {
			if a, ok := c.sharing.said[id].functions[function]; ok {
				others = append(others, a)
			}
		}
		if len(others) == 0 {
			delete(c.sharing.lent, function)
			continue
		}
		own := account{}
		if e := c.models.entries[function]; e != nil {
			own = e.value.estimator.account(now)
		}
		c.sharing.lent[function] = mean(own, others, c.sharing.model)
	}
}

// model is that of a function, which knows what peers have said of it.
func (c *corrector) model(function string) *model {
	m := c.models.get(function)
	if c.sharing.on {
		m.estimator.borrow(c.sharing.lent[function])
	}
	return m
}
