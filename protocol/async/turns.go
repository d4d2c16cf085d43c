package async

import (
	"context"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
)

// turns bounds the streams to each peer: what is beyond waits here rather than
// be reset there.
type turns struct {
	most int

	mu    sync.Mutex
	peers map[peer.ID]*turn // guarded by mu
}

type turn struct {
	places chan struct{}
	users  int // who has a place or waits for one; guarded by turns.mu
}

func newTurns(most int) *turns { return &turns{most: most, peers: make(map[peer.ID]*turn)} }

// take waits for a place until ctx ends; give returns it.
func (t *turns) take(ctx context.Context, p peer.ID) (give func(), err error) {
	one := t.enter(p)
	select {
	case one.places <- struct{}{}:
		return func() { <-one.places; t.leave(p, one) }, nil
	case <-ctx.Done():
		t.leave(p, one)
		return nil, ctx.Err()
	}
}

func (t *turns) enter(p peer.ID) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.peers[p]
	if one == nil {
		one = &turn{places: make(chan struct{}, t.most)}
		t.peers[p] = one
	}
	one.users++
	return one
}

func (t *turns) leave(p peer.ID, one *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(t.peers, p)
	}
}
