package invoke

import (
	"io"

	pool "github.com/libp2p/go-buffer-pool"
	"github.com/libp2p/go-libp2p/core/network"
)

// upgrade answers 101 and then copies raw bytes both ways: this goroutine what the
// function sends, the one that reads the stream what the caller sends.
func (st *inStream) upgrade(in *inbound, a *Answer) {
	a.NoBody, a.Size = true, 0
	st.putBeside(in)
	if !st.beginAnswer(in) {
		return
	}
	defer st.endTurn()
	st.mu.Lock()
	in.conn = a.Conn // before the answer is out: what comes after it is raw
	st.mu.Unlock()
	if _, err := st.stream.Write(appendAnswer(nil, a, nil, st.fill())); err != nil {
		in.end(&Error{Code: callerCode(err), Remote: true, Err: err})
		return
	}
	if readErr, writeErr := copyRaw(st.stream, a.Conn); readErr != nil || writeErr != nil {
		_ = st.stream.ResetWithError(network.StreamErrorCode(CodeCut))
	} else {
		_ = st.stream.CloseWrite()
	}
	<-st.readDone
}

// upgraded returns the invocation whose upgrade made the stream raw, if any.
func (st *inStream) upgraded() *inbound {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.cur == nil || st.cur.conn == nil {
		return nil
	}
	return st.cur
}

// readRaw copies what the caller sends to the function. What the function does
// not want is thrown away: its own answer may still be on the way.
func (st *inStream) readRaw(in *inbound) error {
	readErr, writeErr := copyRaw(in.conn, &st.src)
	if writeErr != nil {
		readErr, _ = copyRaw(io.Discard, &st.src)
	}
	if readErr != nil {
		return readErr
	}
	return io.EOF
}

// closeRaw passes on to the function how the caller's side of an upgraded
// stream ended.
func (in *inbound) closeRaw(clean bool) {
	if clean {
		_ = in.conn.CloseWrite()
		return
	}
	_ = in.conn.Close()
}

// copyRaw copies until src ends or either side breaks.
func copyRaw(dst io.Writer, src io.Reader) (readErr, writeErr error) {
	buf := pool.Get(writeSize)
	defer pool.Put(buf)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, writeErr = dst.Write(buf[:n]); writeErr != nil {
				return nil, writeErr
			}
		}
		if isEnd(err) {
			return nil, nil
		}
		if err != nil {
			return err, nil
		}
	}
}
