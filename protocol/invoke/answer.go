package invoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"

	pool "github.com/libp2p/go-buffer-pool"
	"github.com/libp2p/go-libp2p/core/network"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// run does one invocation, up to the last byte of its answer.
func (st *inStream) run(in *inbound) {
	a, err := st.ask(in)
	switch {
	case err != nil:
		st.answerError(in, in.asError(err))
	case !in.claim(): // taken back: nobody waits for it
		closeAnswer(a)
	default:
		st.answer(in, a)
	}
	in.body.close()
	st.leave(in)
	in.ctx.end(context.Canceled)
}

// ask gets the answer: from the handler, if the invocation gets so far. A panic
// becomes an error.
func (st *inStream) ask(in *inbound) (a *Answer, err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Errorw("handler panicked", "function", in.Function, "panic", r, "stack", string(debug.Stack()))
			a, err = nil, &Error{Code: CodeFailed, Text: "the node's handler panicked"}
		}
	}()
	if in.refuse != nil {
		return nil, in.refuse
	}
	if err := st.allow(in); err != nil {
		return nil, err
	}
	a, err = st.srv.handler.ServeInvoke(&in.ctx, &in.Call)
	if err == nil {
		err = checkAnswer(in, a)
	}
	if err != nil && a != nil {
		closeAnswer(a)
	}
	return a, err
}

func (st *inStream) allow(in *inbound) error {
	if st.srv.gate == nil {
		return nil
	}
	err := st.srv.gate.Allow(&in.ctx, st.peer, in.Function)
	if err == nil {
		return nil
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	return &Error{Code: CodeDenied, Text: "this peer may not invoke that function here", Err: err}
}

// checkAnswer says what is wrong with what a handler returned.
func checkAnswer(in *inbound, a *Answer) error {
	switch {
	case a == nil:
		return &Error{Code: CodeFailed, Text: "no answer"}
	case a.Status < 100 || a.Status > 999:
		return &Error{Code: CodeFailed, Text: fmt.Sprintf("answer with status %d", a.Status)}
	case a.Status == http.StatusSwitchingProtocols && (a.Conn == nil || in.Upgrade == ""):
		return &Error{Code: CodeFailed, Text: "answer switches protocols unasked"}
	}
	if e := checkHeader(a.Header); e != nil {
		e.Code = CodeFailed
		return e
	}
	return nil
}

// asError is what is told of a handler's error: its code, or why the
// invocation was ended, or nothing from inside.
func (in *inbound) asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) && e.Code != 0 {
		return e
	}
	if errors.As(in.ctx.why(), &e) {
		return e
	}
	return &Error{Code: CodeFailed}
}

// answerError says why there is no answer, unless nobody waits for it.
func (st *inStream) answerError(in *inbound, e *Error) {
	b := pool.Get(bufSize)[:0]
	defer func() { pool.Put(b) }()
	if !st.beginAnswer(in) {
		return
	}
	defer st.endTurn()
	st.lastWrite(in)
	b = appendAnswer(b, &Answer{}, e, st.fill())
	if _, err := st.stream.Write(b); err != nil {
		log.Debugw("refusal not sent", "peer", st.peer, "error", err)
	}
}

// beginAnswer takes the turn for the whole answer; false if the invocation has
// been taken back.
func (st *inStream) beginAnswer(in *inbound) bool {
	st.turn <- struct{}{}
	st.mu.Lock()
	defer st.mu.Unlock()
	if in.takenBack {
		st.endTurn()
		return false
	}
	in.answered = true
	return true
}

func (st *inStream) endTurn() { <-st.turn }

// lastWrite is called before the answer's last bytes are written: the next
// request may be there before the write returns.
func (st *inStream) lastWrite(in *inbound) {
	st.mu.Lock()
	in.over = true
	st.mu.Unlock()
}

// fill is this node's news, for whoever has the turn.
func (st *inStream) fill() *load.News {
	if st.srv.cfg.News == nil {
		return nil
	}
	st.srv.cfg.News.Fill(&st.news)
	return &st.news
}

// answer sends the header and the body.
func (st *inStream) answer(in *inbound, a *Answer) {
	defer closeAnswer(a)
	if a.Status == http.StatusSwitchingProtocols {
		st.upgrade(in, a)
		return
	}
	w := answerWriter{st: st, in: in, a: a}
	w.send()
}

func closeAnswer(a *Answer) {
	if a == nil {
		return
	}
	if a.Body != nil {
		_ = a.Body.Close()
	}
	if a.Conn != nil {
		_ = a.Conn.Close()
	}
}

// bodiless tells whether no body follows although there may be a size.
func bodiless(in *inbound, a *Answer) bool {
	return a.NoBody || in.Method == http.MethodHead || a.Status < 200 ||
		a.Status == http.StatusNoContent || a.Status == http.StatusNotModified
}

// cut ends an answer of known size that breaks off: there is no other way to
// say so.
func (st *inStream) cut(in *inbound, err error) {
	code, _ := cutCode(err)
	log.Debugw("answer cut", "peer", st.peer, "function", in.Function, "error", err)
	_ = st.stream.ResetWithError(network.StreamErrorCode(code))
}

var errShortAnswer = fmt.Errorf("answer's body is shorter than its size: %w", io.ErrUnexpectedEOF)

// cutCode is what is told of an answer that breaks off: never a code that says
// that the function did not run.
func cutCode(err error) (Code, string) {
	var e *Error
	if errors.As(err, &e) && e.Code != 0 && !e.Code.NotStarted() {
		return e.Code, e.Text
	}
	return CodeCut, ""
}
