package invoke

import (
	"fmt"
	"io"
	"time"
)

// prefill moves what is there of a known body, so that a small one is whole
// before the handler sees it.
func (st *inStream) prefill(in *inbound) {
	if in.Size <= 0 {
		return
	}
	room, _ := in.body.slot(min(in.Size, int64(st.src.buffered())))
	if len(room) > 0 {
		n, _ := st.src.Read(room)
		in.body.commit(n)
	}
}

// readBody reads the rest of in's body into its ring, or to nowhere once
// nobody reads it.
func (st *inStream) readBody(in *inbound) error {
	defer in.body.release()
	if in.Size < 0 {
		if err := st.readChunks(in); err != nil {
			return short(err)
		}
	} else if _, missing := in.body.complete(); missing > 0 {
		if err := st.readInto(in, missing); err != nil {
			return short(err)
		}
	}
	st.bodyDone(in)
	return nil
}

func (st *inStream) readChunks(in *inbound) error {
	for {
		size, err := st.src.uvarint(maxChunk)
		if err != nil {
			return err
		}
		if size == 0 {
			return st.readTrailer(in)
		}
		if err := st.readInto(in, int64(size)); err != nil {
			return err
		}
	}
}

func (st *inStream) readTrailer(in *inbound) error {
	b, err := st.src.frame(st.srv.cfg.HeaderMax)
	if err != nil {
		return err
	}
	kind, b, err := parseOneof(b)
	if err != nil {
		return err
	}
	if kind != callTrailer {
		return fmt.Errorf("no trailer after the last chunk: %w", errViolation)
	}
	var t trailer
	if err := parseTrailer(b, &t, &st.heard); err != nil {
		return err
	}
	st.hear()
	if t.code != 0 {
		in.body.finish(nil, &Error{Code: CodeCut, Text: t.text, Remote: true})
		return nil
	}
	if e := checkHeader(t.fields); e != nil {
		t.fields = nil
	}
	in.body.finish(t.fields, nil)
	return nil
}

// readInto reads n bytes of the body.
func (st *inStream) readInto(in *inbound, n int64) error {
	for n > 0 {
		room, closed := in.body.slot(n)
		if closed {
			return st.discard(in, n)
		}
		if len(room) == 0 {
			if err := st.waitForRoom(in); err != nil {
				return err
			}
			continue
		}
		m, err := st.src.Read(room)
		in.body.commit(m)
		n -= int64(m)
		if err != nil && n > 0 {
			return err
		}
	}
	return nil
}

// waitForRoom waits until the handler has read. Nothing can be read from the
// stream meanwhile, so a read of no bytes asks now and then whether it has been
// reset: our muxer and QUIC report that before anything else. (The library's yamux
// waits in it for data or the reset if nothing is buffered, which is as good.)
func (st *inStream) waitForRoom(in *inbound) error {
	if st.check == nil {
		st.check = time.NewTimer(fullCheck)
	}
	defer st.check.Stop()
	for {
		st.check.Reset(fullCheck)
		select {
		case <-in.body.space:
			return nil
		case <-st.check.C:
		}
		if st.src.buffered() > 0 {
			continue // the body's end may be there: nothing more need come, and Read would not return
		}
		if _, err := st.stream.Read(nil); err != nil && !isEnd(err) {
			return err
		}
	}
}

// discard reads n more bytes of a body that nobody reads any more, at most
// drainMax of it in all.
func (st *inStream) discard(in *inbound, n int64) error {
	in.discarded += n
	if in.discarded > drainMax {
		return errDrained
	}
	m, err := io.CopyN(io.Discard, &st.src, n)
	in.body.skip(m)
	return err
}

// bodyDone forgets an invocation that was only kept for the rest of its body.
func (st *inStream) bodyDone(in *inbound) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if in.left {
		st.forget(in)
	}
}

// leave is called once nothing more is written for in. If its body has not
// been received whole, it decides about the rest: up to drainMax is drained, to
// keep the stream if its client does (who has not sent all resets it). Otherwise
// the stream is closed, not reset, behind the answer: a reset would take with it
// what the caller has not read yet.
func (st *inStream) leave(in *inbound) {
	st.mu.Lock()
	in.over, in.left = true, true
	whole, missing := in.body.complete()
	hopeless := !whole && missing > drainMax
	switch {
	case whole:
		st.forget(in)
	case hopeless:
		st.ended = true
	default:
		in.drainBy = time.Now().Add(drainTime)
		st.arm(in)
	}
	st.mu.Unlock()
	if hopeless {
		_ = st.stream.Close()
	}
}

// forget needs mu.
func (st *inStream) forget(in *inbound) {
	if st.cur == in {
		st.cur = nil
	}
}
