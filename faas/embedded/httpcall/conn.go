package httpcall

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/p2pfaas/p2pfaas/socket"
)

const (
	firstBuffer = 4 << 10  // of a connection; most answers fit
	keptBuffer  = 32 << 10 // what an idle connection may hold on to
	maxHeader   = 64 << 10 // bytes of an answer's header, or of its trailer
	maxFields   = 256      // fields in either
	maxLine     = 4 << 10  // bytes of a chunk's size line
)

var errTooLarge = errors.New("too large")

// conn is a connection with its buffers. One call uses it at a time.
type conn struct {
	net.Conn
	data  []byte // received; data[r:w] is not read yet
	r, w  int
	out   []byte // the request's header and what is sent with it
	both  [2][]byte
	vec   net.Buffers // both, as far as they are to be written
	used  time.Time
	sock  *socket.Conn // Conn, nil if it is not one of the operating system's
	early error        // why ask read no answer
}

func newConn(nc net.Conn) *conn {
	return &conn{Conn: nc, data: make([]byte, firstBuffer), sock: socket.Of(nc)}
}

// ask writes out to an idle connection and waits for the answer, unless it is so
// much that the function has to read first. To a dead one it writes nothing.
func (c *conn) ask() (int, error) {
	if c.r != c.w || c.sock == nil {
		return 0, errDead
	}
	sent, got, err := c.sock.Ask(c.out, c.data)
	c.r, c.w = 0, got
	if sent == len(c.out) {
		c.early = err
		return sent, nil
	}
	if err == nil {
		var more int
		more, err = c.Conn.Write(c.out[sent:])
		sent += more
	}
	return sent, err
}

// put writes out, and body behind it in the same write.
func (c *conn) put(body []byte) (int, error) {
	if len(body) == 0 {
		return c.Conn.Write(c.out)
	}
	c.both = [2][]byte{c.out, body}
	c.vec = c.both[:]
	n, err := c.vec.WriteTo(c.Conn)
	c.both = [2][]byte{}
	return int(n), err
}

func (c *conn) close() { _ = c.Conn.Close() }

// Interrupt is called when the context of the call has ended.
func (c *conn) Interrupt() { c.close() }

// alive tells whether an idle connection can be used: the other side has
// neither closed it nor sent what nobody asked for.
func (c *conn) alive() bool { return c.r == c.w && c.sock != nil && c.sock.Quiet() }

func (c *conn) shrink() {
	if c.r == c.w && len(c.data) > keptBuffer {
		c.data, c.r, c.w = make([]byte, firstBuffer), 0, 0
	}
	if cap(c.out) > keptBuffer {
		c.out = nil
	}
}

// fill reads more behind what is buffered, making room first.
func (c *conn) fill() error {
	if c.r == c.w {
		c.r, c.w = 0, 0
	}
	if c.w == len(c.data) {
		c.makeRoom()
	}
	if c.early != nil {
		return c.early
	}
	n, err := c.read(c.data[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

func (c *conn) read(p []byte) (int, error) {
	if c.sock != nil {
		return c.sock.Read(p)
	}
	return c.Conn.Read(p)
}

func (c *conn) makeRoom() {
	to := c.data
	if c.r < len(c.data)/2 {
		to = make([]byte, 2*len(c.data))
	}
	c.w = copy(to, c.data[c.r:c.w])
	c.data, c.r = to, 0
}

// take copies buffered bytes, or reads into p what the other side sends next.
func (c *conn) take(p []byte) (int, error) {
	if c.r == c.w {
		if len(p) >= firstBuffer {
			return c.read(p)
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.data[c.r:c.w])
	c.r += n
	return n, nil
}

// head returns a whole header, its empty line included. The bytes are valid
// until the next call.
func (c *conn) head() ([]byte, error) {
	for from := 0; ; {
		have := c.data[c.r:c.w]
		if n := headEnd(have, from); n > maxHeader || n < 0 && len(have) >= maxHeader {
			return nil, fmt.Errorf("answer's header: %w: more than %d bytes", errTooLarge, maxHeader)
		} else if n >= 0 {
			c.r += n
			return have[:n], nil
		}
		from = max(0, len(have)-2)
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// headEnd returns the length of the header that p begins with, -1 if its
// empty line is not there. No empty line ends before from.
func headEnd(p []byte, from int) int {
	for i := from; ; i++ {
		n := bytes.IndexByte(p[i:], '\n')
		if n < 0 {
			return -1
		}
		i += n
		switch rest := p[i+1:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 2
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 3
		}
	}
}

// line returns the next line without its end. Unless block, an incomplete one
// is errPartial.
func (c *conn) line(limit int, block bool) ([]byte, error) {
	for {
		have := c.data[c.r:c.w]
		if n := bytes.IndexByte(have, '\n'); n >= 0 && n <= limit {
			c.r += n + 1
			return bytes.TrimSuffix(have[:n], []byte{'\r'}), nil
		}
		if len(have) > limit {
			return nil, fmt.Errorf("line of the answer: %w: more than %d bytes", errTooLarge, limit)
		}
		if !block {
			return nil, errPartial
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}
