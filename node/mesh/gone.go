package mesh

import "time"

// remembered is how long a function is remembered whose last node has gone: a
// node that restarts is back within it.
const remembered = time.Minute

// maxGone bounds the functions that are remembered.
const maxGone = 4096

// remember notes that a node with these functions left.
func (t *table) remember(l *list, now time.Duration) {
	for f, at := range t.gone {
		if now-at > remembered {
			delete(t.gone, f)
		}
	}
	for i := range l.functions {
		if len(t.gone) >= maxGone {
			return
		}
		t.gone[l.functions[i].id()] = now
	}
}

// Gone tells how long ago a node left that ran the function, if that was within
// the last minute.
func (m *Mesh) Gone(function string) (ago time.Duration, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	at, ok := m.table.gone[function]
	ago = m.now() - at
	return ago, ok && ago <= remembered
}
