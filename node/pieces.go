package node

import (
	"io"

	pool "github.com/libp2p/go-buffer-pool"
)

// pieces are bytes that are kept, in memory that is used again after free and
// until then is not moved. The zero value is empty.
type pieces struct {
	list  [][]byte
	size  int       // bytes in all of them
	first [2][]byte // memory of list
}

// The first piece is small, as many bodies are. Each is twice as large as the one
// before, up to what one read brings: what is kept is about half of what it takes.
const (
	leastPiece = 8 << 10
	mostPiece  = 64 << 10
)

// add makes a piece with room for n bytes, which it returns.
func (p *pieces) add(n int) []byte {
	if p.list == nil {
		p.list = p.first[:0]
	}
	piece := pool.Get(n)
	p.list = append(p.list, piece[:0])
	return piece
}

// spare is room for up to n bytes behind those that are kept.
func (p *pieces) spare(n int) []byte {
	if len(p.list) == 0 {
		room := p.add(leastPiece)
		return room[:min(n, len(room))]
	}
	last := p.list[len(p.list)-1]
	room := last[len(last):cap(last)]
	if len(room) < min(n, leastPiece/2) { // rather a new one than a short read
		room = p.add(min(2*cap(last), mostPiece))
	}
	return room[:min(n, len(room))]
}

// fill keeps the first n bytes of the room that spare or add has returned.
func (p *pieces) fill(n int) {
	last := &p.list[len(p.list)-1]
	*last = (*last)[:len(*last)+n]
	p.size += n
}

// readFull keeps n bytes of source, in one piece.
func (p *pieces) readFull(source io.Reader, n int) error {
	n, err := io.ReadFull(source, p.add(n))
	p.fill(n)
	return err
}

// free forgets all that is kept.
func (p *pieces) free() {
	for _, piece := range p.list {
		pool.Put(piece)
	}
	p.list, p.size = nil, 0
}

// place is how far pieces have been read.
type place struct {
	read  int // bytes in all
	piece int
	at    int // in that piece
}

// here is what was not read of the piece where that begins.
func (p *pieces) here(from *place) []byte {
	if from.read == p.size {
		return nil
	}
	for from.at == len(p.list[from.piece]) {
		from.piece, from.at = from.piece+1, 0
	}
	return p.list[from.piece][from.at:]
}

// read copies what is there from a place on, and goes on.
func (p *pieces) read(b []byte, from *place) int {
	n := copy(b, p.here(from))
	from.read, from.at = from.read+n, from.at+n
	return n
}
