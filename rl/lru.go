package rl

// lru holds what is kept for each key, at most most of them: whose turn is the
// longest ago goes first. Finding that one takes a look at all, which is done
// only when a new key comes to a full lru.
type lru[K comparable, V any] struct {
	most    int
	fresh   func() *V
	entries map[K]*lruEntry[V]
	turns   uint64
}

type lruEntry[V any] struct {
	value *V
	turn  uint64
}

func newLRU[K comparable, V any](most int, fresh func() *V) lru[K, V] {
	return lru[K, V]{most: most, fresh: fresh, entries: make(map[K]*lruEntry[V])}
}

// get is the value of that key, a fresh one if it is new.
func (l *lru[K, V]) get(key K) *V {
	l.turns++
	e, ok := l.entries[key]
	if !ok {
		l.makeRoom()
		e = &lruEntry[V]{value: l.fresh()}
		l.entries[key] = e
	}
	e.turn = l.turns
	return e.value
}

func (l *lru[K, V]) makeRoom() {
	if len(l.entries) < l.most {
		return
	}
	var oldest K
	least := ^uint64(0)
	for key, e := range l.entries {
		if e.turn < least {
			oldest, least = key, e.turn
		}
	}
	delete(l.entries, oldest)
}
