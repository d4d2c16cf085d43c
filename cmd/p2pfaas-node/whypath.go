package main

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/control"
)

// visit is one passing of a call through a node.
type visit struct {
	peer peer.ID
	call *control.Call
}

// visits are those of w in the order in which the call made them: each forward
// is followed by what happened where it went.
func visits(w *control.Why) []visit {
	var all []visit
	for i := range w.Accounts {
		a := &w.Accounts[i]
		for j := range a.Calls {
			all = append(all, visit{a.Peer, &a.Calls[j]})
		}
	}
	p := pathOf{all: all, done: make([]bool, len(all))}
	for i := range all { // entries first: the node sorts by hops
		p.follow(i)
	}
	return p.order
}

type pathOf struct {
	all   []visit
	done  []bool
	order []visit
}

func (p *pathOf) follow(i int) {
	if p.done[i] {
		return
	}
	p.done[i] = true
	v := p.all[i]
	p.order = append(p.order, v)
	hops := append(slices.Clone(v.call.Hops), v.peer)
	for _, s := range v.call.Steps {
		next := func(to visit) bool { return to.peer == s.Peer && slices.Equal(to.call.Hops, hops) }
		for j := range p.all {
			if !p.done[j] && next(p.all[j]) {
				p.follow(j)
				break
			}
		}
	}
}
