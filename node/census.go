package node

// kinds counts what holds a server by task type, those of 0 to 15: no policy
// tells more apart.
type kinds [16]int

// kindOf is the index of a task type, false if it has none.
func kindOf(taskType float64) (int, bool) {
	kind := int(max(-1, min(taskType, 16)))
	return kind, float64(kind) == taskType && kind >= 0 && kind < len(kinds{})
}

func (k *kinds) add(n *need, by int) {
	if n.of == nil {
		return
	}
	if kind, ok := kindOf(n.of.TaskType); ok {
		k[kind] += by
	}
}

// Count implements sched.Census.
func (l line) Count(taskType float64) (running, queued int) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if kind, ok := kindOf(taskType); ok {
		running = l.s.kinds[kind]
	}
	l.s.queue.Each(func(w *waiter) {
		if w.need.of != nil && w.need.of.TaskType == taskType {
			queued++
		}
	})
	return running, queued
}
