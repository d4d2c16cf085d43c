package mux

import pool "github.com/libp2p/go-buffer-pool"

// minSegment keeps many small frames that nobody reads from taking more memory
// than their window.
const minSegment = 4 << 10

// segments is a queue of bytes in pooled memory.
type segments struct {
	list  [][]byte // from first on; the last has room up to its capacity
	first int
	off   int // how much of list[first] has been read
	size  int
}

// write copies p.
func (q *segments) write(p []byte) {
	q.size += len(p)
	size := len(p)
	if n := len(q.list); n > q.first {
		last := q.list[n-1]
		m := min(len(p), cap(last)-len(last))
		q.list[n-1] = append(last, p[:m]...)
		p, size = p[m:], max(size-m, minSegment)
	}
	if len(p) > 0 {
		q.append(append(pool.Get(size)[:0], p...))
	}
}

// push takes p, which is from the pool.
func (q *segments) push(p []byte) {
	q.size += len(p)
	q.append(p)
}

func (q *segments) append(p []byte) {
	if len(q.list) == cap(q.list) && q.first > 0 {
		n := copy(q.list, q.list[q.first:])
		clear(q.list[n:])
		q.list, q.first = q.list[:n], 0
	}
	q.list = append(q.list, p)
}

// read fills p as far as there is something.
func (q *segments) read(p []byte) int {
	read := 0
	for read < len(p) && q.first < len(q.list) {
		n := copy(p[read:], q.list[q.first][q.off:])
		read += n
		q.off += n
		if q.off == len(q.list[q.first]) {
			q.drop()
		}
	}
	q.size -= read
	return read
}

func (q *segments) drop() {
	pool.Put(q.list[q.first])
	q.list[q.first] = nil
	q.first++
	q.off = 0
	if q.first == len(q.list) {
		q.list, q.first = q.list[:0], 0
	}
}

func (q *segments) clear() {
	for q.first < len(q.list) {
		q.drop()
	}
	q.size = 0
}
