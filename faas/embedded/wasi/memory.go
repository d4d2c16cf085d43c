package wasi

import (
	"sync"

	"github.com/tetratelabs/wazero/experimental"
)

// memories are linear memories that are used again, each cleared by who used it
// last. A new one for each instance would have the garbage collector run every
// few dozen invocations.
type memories struct{ pool sync.Pool }

// Allocate implements wazero's MemoryAllocator.
func (m *memories) Allocate(_, most uint64) experimental.LinearMemory {
	l, ok := m.pool.Get().(*linearMemory)
	if !ok {
		l = &linearMemory{owner: m}
	}
	l.most = most
	return l
}

// linearMemory is the memory of one instance at a time. All that lies behind
// used is zero.
type linearMemory struct {
	owner *memories
	bytes []byte
	used  uint64
	most  uint64
}

// Reallocate returns the memory with another length. One that does not fit grows
// by a quarter at least: modules ask for a few pages at a time.
func (l *linearMemory) Reallocate(size uint64) []byte {
	if size > uint64(len(l.bytes)) {
		grown := make([]byte, max(size, min(l.used+l.used/4, l.most)))
		copy(grown, l.bytes[:l.used])
		l.bytes = grown
	}
	l.used = max(l.used, size)
	return l.bytes[:size:size]
}

// keepUpTo is the most of a memory that is worth clearing and keeping.
const keepUpTo = 16 << 20

// Free keeps the memory for the next instance.
func (l *linearMemory) Free() {
	if len(l.bytes) > keepUpTo {
		return
	}
	clear(l.bytes[:l.used])
	l.used = 0
	l.owner.pool.Put(l)
}
