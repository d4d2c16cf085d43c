package sched

import (
	"math/rand/v2"

	"github.com/libp2p/go-libp2p/core/peer"
)

func peerID(name string) peer.ID { return peer.ID(name) }

func ids(names ...string) []peer.ID {
	list := make([]peer.ID, len(names))
	for i, name := range names {
		list[i] = peerID(name)
	}
	return list
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
