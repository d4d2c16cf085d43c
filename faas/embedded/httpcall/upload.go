package httpcall

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/p2pfaas/p2pfaas/faas"
)

const (
	uploadBuffer = 32 << 10
	// sizeRoom is kept free before a chunk's data for its size line.
	sizeRoom = 10
)

// Outcomes of an upload.
const (
	uploading  = int32(iota)
	uploaded   // all was written, the connection can be kept
	unsendable // the function took no more, or the call is over
	unreadable // the request's body failed; err says how
)

// upload writes a request beside the goroutine that reads the answer. It ends
// when the body ends, a write fails (the connection is closed with the call),
// or a Read of the body returns after the call has ended.
type upload struct {
	conn    *conn
	body    io.Reader
	left    int64 // bytes to come, -1: until EOF, in chunks
	trailer func() faas.Header
	chunks  *sync.Pool

	stopped atomic.Bool  // no further Read is to begin
	wrote   atomic.Bool  // a byte was written
	outcome atomic.Int32 // set last; orders err
	err     error
}

func (u *upload) run() {
	buf := u.chunks.Get().(*[]byte)
	var err error
	if u.left < 0 {
		err = u.inChunks(*buf)
	} else {
		err = u.sized(*buf)
	}
	u.chunks.Put(buf)
	u.finish(err)
}

func (u *upload) finish(err error) {
	switch {
	case err == nil:
		u.outcome.Store(uploaded)
	case u.err != nil:
		u.outcome.Store(unreadable)
		u.conn.close()
	default:
		u.outcome.Store(unsendable)
	}
}

// sized sends the header with the first bytes of the body, then the rest.
func (u *upload) sized(buf []byte) error {
	for first := true; u.left > 0; {
		n, err := u.read(buf[:min(int64(len(buf)), u.left)])
		out := buf[:n]
		if n > 0 && first {
			u.conn.out = append(u.conn.out, out...)
			out, first = u.conn.out, false
		}
		if werr := u.write(out); werr != nil {
			return werr
		}
		u.left -= int64(n)
		if err != nil && u.left > 0 {
			return u.bodyFailed(cut(err))
		}
	}
	return nil
}

// inChunks sends the header at once: a function may answer it before the body
// begins.
func (u *upload) inChunks(buf []byte) error {
	if err := u.write(u.conn.out); err != nil {
		return err
	}
	for {
		n, err := u.read(buf[sizeRoom : len(buf)-2])
		if n > 0 {
			if werr := u.write(chunk(buf, n)); werr != nil {
				return werr
			}
		}
		if err == io.EOF {
			return u.end()
		}
		if err != nil {
			return u.bodyFailed(err)
		}
	}
}

// chunk frames the n bytes at buf[sizeRoom:] in place.
func chunk(buf []byte, n int) []byte {
	var line [sizeRoom]byte
	size := append(strconv.AppendUint(line[:0], uint64(n), 16), '\r', '\n')
	start := sizeRoom - len(size)
	copy(buf[start:], size)
	return append(buf[start:sizeRoom+n], '\r', '\n')
}

// end writes the last chunk and the trailer.
func (u *upload) end() error {
	out := append(u.conn.out[:0], "0\r\n"...)
	if u.trailer != nil {
		trailer := u.trailer()
		if err := validFields(trailer); err != nil {
			return u.bodyFailed(err)
		}
		for _, f := range trailer {
			if !ours(f.Name) {
				out = appendField(out, f.Name, f.Value)
			}
		}
	}
	return u.write(append(out, '\r', '\n'))
}

func (u *upload) read(p []byte) (int, error) {
	if u.stopped.Load() {
		return 0, io.ErrClosedPipe
	}
	return u.body.Read(p)
}

func (u *upload) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	n, err := u.conn.Write(p)
	if n > 0 {
		u.wrote.Store(true)
	}
	return err
}

func (u *upload) bodyFailed(err error) error {
	u.err = fmt.Errorf("read request body: %w", err)
	return u.err
}
