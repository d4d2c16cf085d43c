package control

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/control"
)

// whyLimit is how long all nodes of a call's path together have to answer. The
// rest of 2 s is for who asked.
const whyLimit = 1800 * time.Millisecond

// why tells what this node and, as far as the budget reaches, the others on the
// call's path know of it. The error wraps control.ErrNotFound if this node knows
// nothing that may be seen.
func (h *Handlers) why(ctx context.Context, q control.WhyQuery, may sight) (control.Why, error) {
	calls := slices.DeleteFunc(h.cfg.Records.Find(q.CallID), func(c control.Call) bool { return !may(&c) })
	if len(calls) == 0 {
		return control.Why{}, control.ErrNotFound
	}
	w := control.Why{CallID: q.CallID, Accounts: []control.Account{{Peer: h.cfg.Self, Calls: calls}}}
	if q.Budget <= 0 {
		return w, nil
	}
	asked := append(slices.Clip(q.Asked), h.cfg.Self)
	near, far := path(calls, asked)
	q.Asked = append(asked, near...)
	q.Asked = q.Asked[:min(len(q.Asked), control.MaxAsked)]
	for _, told := range h.askAll(ctx, q, append(near, far...)) {
		w.Accounts = merge(w.Accounts, told)
	}
	w.Accounts = w.Accounts[:min(len(w.Accounts), control.MaxAccounts)]
	sortByPath(w.Accounts)
	return w, nil
}

// path is who else knows of the calls, without those that are asked already. Near
// are those that this node got the calls from or sent them to. Far are the nodes
// before and behind them: near ones ask those too, and are heard rather, but may
// be silent themselves.
func path(calls []control.Call, asked []peer.ID) (near, far []peer.ID) {
	add := func(to *[]peer.ID, p peer.ID) {
		if p != "" && !slices.Contains(asked, p) && !slices.Contains(near, p) && !slices.Contains(far, p) {
			*to = append(*to, p)
		}
	}
	for i := range calls {
		c := &calls[i]
		if n := len(c.Hops); n > 0 {
			add(&near, c.Hops[n-1])
		}
		for _, s := range c.Steps {
			if s.Result != control.ResultNotReached { // what did not get there left no trace there
				add(&near, s.Peer)
			}
		}
	}
	for i := range calls {
		for _, hop := range calls[i].Hops {
			add(&far, hop)
		}
		add(&far, calls[i].Ran)
	}
	return near, far[:min(len(far), control.MaxAccounts)]
}

// askAll asks each of the others for what it and those behind it know.
func (h *Handlers) askAll(ctx context.Context, q control.WhyQuery, others []peer.ID) [][]control.Account {
	ctx, cancel := context.WithTimeout(ctx, min(q.Budget, whyLimit))
	defer cancel()
	q.Budget = min(q.Budget, whyLimit) * 3 / 4
	told := make([][]control.Account, len(others))
	var asking sync.WaitGroup
	for i, p := range others {
		asking.Go(func() { // ends with ctx
			w, err := h.cfg.Ask.Why(ctx, p, q)
			if err != nil {
				log.Debugw("node on a call's path told nothing", "peer", p, "err", err)
				w.Accounts = []control.Account{{Peer: p, Trouble: trouble(ctx, err)}}
			}
			told[i] = w.Accounts
		})
	}
	asking.Wait()
	return told
}

// trouble is the word for why a node told nothing.
func trouble(ctx context.Context, err error) string {
	var said *control.Error
	switch {
	case errors.As(err, &said) && said.Code == control.CodeNotFound:
		return control.TroubleForgotten
	case errors.As(err, &said) && said.Code == control.CodeDenied:
		return control.TroubleDenied
	case errors.As(err, &said) && said.Code == control.CodeUnknownRequest:
		return control.TroubleNotServed
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return control.TroubleNoAnswer
	case errors.Is(err, control.ErrNotReached):
		return control.TroubleNotReached
	}
	return control.TroubleFailed
}

// merge adds what was told to the accounts; of two of one node, the one that
// tells more counts: not everybody may see everything.
func merge(accounts, told []control.Account) []control.Account {
	for _, a := range told {
		i := slices.IndexFunc(accounts, func(b control.Account) bool { return a.Peer == b.Peer })
		switch {
		case i < 0:
			accounts = append(accounts, a)
		case len(a.Calls) > len(accounts[i].Calls):
			accounts[i] = a
		}
	}
	return accounts
}

// sortByPath puts nodes in the order in which the call came to them first, and
// those that tell nothing at the end.
func sortByPath(accounts []control.Account) {
	depth := func(a control.Account) int {
		least := control.MaxHops + 1
		for i := range a.Calls {
			least = min(least, len(a.Calls[i].Hops))
		}
		return least
	}
	slices.SortStableFunc(accounts, func(a, b control.Account) int { return cmp.Compare(depth(a), depth(b)) })
}
