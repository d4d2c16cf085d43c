package client

import (
	"crypto/rand"
	"strconv"
	"sync/atomic"
)

// ids names invocations: what they all begin with is random and this client's
// own, what follows is their number. They need not be secret, as nothing can be
// had for one: who knows one can guess the client's others.
type ids struct {
	prefix string
	last   atomic.Uint64
}

func newIDs() ids { return ids{prefix: rand.Text() + "-"} }

func (i *ids) next() string {
	var room [48]byte
	return string(strconv.AppendUint(append(room[:0], i.prefix...), i.last.Add(1), 36))
}
