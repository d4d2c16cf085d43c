package sched

// absent marks a slot that a heap does not hold.
const absent = -1

// heap keeps slot numbers with the least on top and remembers where each one
// is, so that any of them can be taken out in O(log n).
type heap struct {
	slots []int
	at    []int // by slot: its place in slots, or absent
	less  func(a, b int) bool
}

func (h *heap) top() (slot int, ok bool) {
	if len(h.slots) == 0 {
		return 0, false
	}
	return h.slots[0], true
}

func (h *heap) add(slot int) {
	for len(h.at) <= slot {
		h.at = append(h.at, absent)
	}
	h.slots = append(h.slots, slot)
	h.at[slot] = len(h.slots) - 1
	h.up(len(h.slots) - 1)
}

// remove does nothing if the heap does not hold the slot.
func (h *heap) remove(slot int) {
	if !h.holds(slot) {
		return
	}
	i, last := h.at[slot], len(h.slots)-1
	h.swap(i, last)
	h.slots = h.slots[:last]
	h.at[slot] = absent
	if i < last {
		h.down(i)
		h.up(i)
	}
}

// holds tells whether the slot is in the heap.
func (h *heap) holds(slot int) bool { return slot < len(h.at) && h.at[slot] != absent }

// clear empties it and keeps its memory.
func (h *heap) clear() {
	for _, slot := range h.slots {
		h.at[slot] = absent
	}
	h.slots = h.slots[:0]
}

func (h *heap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(h.slots[i], h.slots[parent]) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *heap) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h.slots) {
			return
		}
		if right := child + 1; right < len(h.slots) && h.less(h.slots[right], h.slots[child]) {
			child = right
		}
		if !h.less(h.slots[child], h.slots[i]) {
			return
		}
		h.swap(i, child)
		i = child
	}
}

func (h *heap) swap(i, j int) {
	h.slots[i], h.slots[j] = h.slots[j], h.slots[i]
	h.at[h.slots[i]], h.at[h.slots[j]] = i, j
}
