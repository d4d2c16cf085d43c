package plainhttp

import "net/http"

// gear is the memory that a connection needs while it serves.
type gear struct {
	in          [headSize]byte
	read, write int  // in in: how much was served, and came
	fresh       bool // nobody has waited for more of it

	head    head
	request http.Header
	values  [maxFields]string // memory of request's

	answer http.Header
}

// outgoing is the memory for an answer that is on its way out. Answers may take
// long, with nothing on its way.
type outgoing struct {
	text []byte // not sent yet
	held []byte // of the body, while the header is not known
}

// Sizes of memory for an answer, in bytes.
const (
	outSize = 8 << 10
	// heldSize is up to which size net/http finds out how long an answer is.
	heldSize = 2 << 10
)

func newGear() any {
	return &gear{request: make(http.Header), answer: make(http.Header)}
}

func newOutgoing() any {
	return &outgoing{text: make([]byte, 0, outSize), held: make([]byte, 0, heldSize)}
}

// take makes sure that there is gear.
func (c *conn) take() *gear {
	if c.gear == nil {
		c.gear = c.srv.gears.Get().(*gear)
		c.gear.fresh = true
	}
	return c.gear
}

func (c *conn) release() {
	c.gear.read, c.gear.write = 0, 0
	c.srv.gears.Put(c.gear)
	c.gear = nil
}

func (g *gear) unread() int  { return g.write - g.read }
func (g *gear) room() []byte { return g.in[g.write:] }

// makeRoom makes some for the rest of a head; false if that is too large.
func (g *gear) makeRoom() bool {
	if g.read > 0 {
		g.write = copy(g.in[:], g.in[g.read:g.write])
		g.read = 0
	}
	return g.write < len(g.in)
}

// clear forgets a request that is over, and its answer.
func (g *gear) clear() {
	if len(g.answer) > maxFields {
		g.answer = make(http.Header) // they do not shrink
	}
	clear(g.request)
	clear(g.answer)
	clear(g.values[:g.head.fields])
	g.fresh = true
	if g.unread() == 0 {
		g.read, g.write = 0, 0
	}
}
