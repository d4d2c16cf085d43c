package invoke

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	pool "github.com/libp2p/go-buffer-pool"
)

// chunkRoom is kept free before a chunk for its length.
const chunkRoom = binary.MaxVarintLen32

// answerWriter sends one answer: its header together with the first bytes of
// the body, then the rest in writes of up to writeSize.
type answerWriter struct {
	st  *inStream
	in  *inbound
	a   *Answer
	buf []byte
}

func (w *answerWriter) send() {
	a := w.a
	a.NoBody = bodiless(w.in, a)
	if a.Size < 0 || a.Body == nil && !a.NoBody {
		a.Size = min(a.Size, 0)
	}
	empty := a.NoBody || a.Size == 0 || a.Body == nil
	w.buf = pool.Get(answerRoom(a.Size, empty))
	defer func() { pool.Put(w.buf) }()
	switch {
	case empty:
		w.begin(0, true)
	case a.Size > 0:
		w.sized()
	default:
		w.chunked()
	}
}

// answerRoom is how large a buffer an answer needs: one for the header, and for
// a small body all of it.
func answerRoom(size int64, empty bool) int {
	switch {
	case empty:
		return bufSize
	case size >= 0 && size <= largeSize:
		return bufSize + int(size)
	}
	return bufSize + writeSize
}

// begin sends the header in one write with the n bytes of the body that stand
// at bufSize. It has the turn afterwards, unless that failed or was the last.
func (w *answerWriter) begin(n int, last bool) bool {
	if !w.st.beginAnswer(w.in) {
		return false
	}
	if last {
		w.st.lastWrite(w.in)
	}
	head := pool.Get(bufSize)
	defer pool.Put(head)
	b := appendAnswer(head[:0], w.a, nil, w.st.fill())
	ok := true
	if len(b) > bufSize {
		ok, b = w.write(b), nil
	}
	from := bufSize - copy(w.buf[bufSize-len(b):], b)
	if ok && from < bufSize+n {
		ok = w.write(w.buf[from : bufSize+n])
	}
	if last || !ok {
		w.st.endTurn()
	}
	return ok
}

// sized sends a body of known size. The first read comes before the turn is
// taken: while it waits, progress may still be told.
func (w *answerWriter) sized() {
	left := w.a.Size
	n, err := w.read(w.buf[bufSize : bufSize+min(left, int64(len(w.buf)-bufSize))])
	left -= int64(n)
	if err != nil && left > 0 { // nothing has been sent: it can still be told in words
		w.st.answerError(w.in, brokenOff(err))
		return
	}
	if !w.begin(n, left == 0) || left == 0 {
		return
	}
	defer w.st.endTurn()
	w.rest(left)
}

func brokenOff(err error) *Error {
	code, text := cutCode(err)
	if code == CodeCut {
		return &Error{Code: CodeFailed, Text: "the answer broke off before its body"}
	}
	return &Error{Code: code, Text: text}
}

func (w *answerWriter) rest(left int64) {
	for left > 0 {
		n, err := w.read(w.buf[:min(left, writeSize, int64(len(w.buf)))])
		if left -= int64(n); left == 0 {
			w.st.lastWrite(w.in)
		}
		if n > 0 && !w.write(w.buf[:n]) {
			return
		}
		if err != nil && left > 0 {
			w.st.cut(w.in, orShort(err))
			return
		}
	}
}

// chunked sends a body of unknown size. Its header does not wait for the body:
// events may be far apart.
func (w *answerWriter) chunked() {
	if !w.begin(0, false) {
		return
	}
	defer w.st.endTurn()
	for {
		n, err := w.read(w.buf[chunkRoom : writeSize-bufSize])
		b := putChunk(w.buf, n)
		if err != nil {
			w.st.lastWrite(w.in)
			w.write(w.appendEnd(b, err))
			return
		}
		if n > 0 && !w.write(b) {
			return
		}
	}
}

// appendEnd appends the last chunk's mark and the trailer.
func (w *answerWriter) appendEnd(b []byte, err error) []byte {
	var t trailer
	switch {
	case !errors.Is(err, io.EOF):
		t.code, t.text = cutCode(err)
	case w.a.Trailer != nil:
		t.fields = w.a.Trailer()
	}
	return appendTrailer(append(b, 0), replyTrailer, &t, w.st.fill())
}

// read is Body.Read; a panic in it becomes an error.
func (w *answerWriter) read(p []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Errorw("answer's body panicked", "function", w.in.Function, "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return w.a.Body.Read(p)
}

// write tells whether the caller is still there.
func (w *answerWriter) write(b []byte) bool {
	_, err := w.st.stream.Write(b)
	if err == nil {
		return true
	}
	w.in.end(&Error{Code: callerCode(err), Remote: true, Err: err})
	return false
}

// putChunk puts the length right before the n bytes that begin at chunkRoom and
// returns both; nothing for no bytes, for that would end the body.
func putChunk(buf []byte, n int) []byte {
	if n == 0 {
		return buf[:0]
	}
	var length [chunkRoom]byte
	used := binary.PutUvarint(length[:], uint64(n))
	at := chunkRoom - used
	copy(buf[at:], length[:used])
	return buf[at : chunkRoom+n]
}

func orShort(err error) error {
	if errors.Is(err, io.EOF) {
		return errShortAnswer
	}
	return err
}
