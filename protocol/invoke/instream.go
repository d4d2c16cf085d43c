package invoke

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// inStream is a kept stream on the server's side. One goroutine reads a request
// and runs the handler itself: to hand a small invocation over would cost as much
// as much of the rest. An invocation that takes longer than besideAfter, or whose
// body is large, gets a second one beside it: one of them reads on, and so sees
// that the caller goes away, the other runs the handler and writes the answer,
// and then ends.
type inStream struct {
	srv    *Server
	stream network.Stream
	peer   peer.ID
	src    source        // of whoever reads
	heard  load.News     // of whoever reads
	check  *time.Timer   // of whoever reads, made when first needed
	turn   chan struct{} // full: somebody writes to the stream
	news   load.News     // of whoever has the turn
	small  [512]byte     // of whoever has the turn

	readDone chan struct{} // closed when nobody reads any more

	mu         sync.Mutex
	goroutines int       // guarded by mu
	cur        *inbound  // guarded by mu
	due        time.Time // when a round looks here at the latest, zero for never; guarded by mu
	closing    bool      // the server closes; guarded by mu
	ended      bool      // closed behind an answer, by this side; guarded by mu
}

func newInStream(s *Server, stream network.Stream) *inStream {
	return &inStream{
		srv:    s,
		stream: stream,
		peer:   stream.Conn().RemotePeer(),
		src:    source{r: stream, buf: make([]byte, bufSize)},
		turn:   make(chan struct{}, 1),

		readDone:   make(chan struct{}),
		goroutines: 1,
	}
}

var (
	// errDrained means that a stream ends since it is not worth to read the rest
	// of a body that nobody wants.
	errDrained = errors.New("body not drained")
	// errViolation means that the other side sent what is not allowed there.
	errViolation = errors.New("not allowed here")
)

// read handles what arrives until the stream ends.
func (st *inStream) read() error {
	for {
		if st.src.buffered() == 0 {
			if err := st.src.fill(); err != nil {
				return err
			}
		}
		if in := st.upgraded(); in != nil {
			return st.readRaw(in)
		}
		b, err := st.src.frame(st.srv.cfg.HeaderMax)
		if err != nil {
			return short(err)
		}
		if err := st.handle(b); err != nil {
			return err
		}
	}
}

func (st *inStream) handle(b []byte) error {
	kind, b, err := parseOneof(b)
	if err != nil {
		return err
	}
	switch kind {
	case callRequest:
		return st.request(b)
	case callCancel:
		return st.cancelIfQueued()
	case callTrailer:
		return fmt.Errorf("trailer without a body: %w", errViolation)
	}
	return nil // a frame of a later version
}

// request takes one invocation and its body.
func (st *inStream) request(b []byte) error {
	in := st.newInbound()
	if err := parseRequest(b, &in.Request, &st.heard); err != nil {
		return err
	}
	st.hear()
	in.refuse = in.check()
	if in.refuse == nil {
		in.refuse = in.checkHops(st.srv.host.ID())
	}
	if last := st.current(); last != nil && !last.settled() {
		return fmt.Errorf("request before the last one was answered: %w", errViolation)
	}
	in.begin()
	if !st.enter(in) {
		return errDrained
	}
	st.prefill(in)
	if in.Size >= 0 && in.Size <= largeSize {
		return st.alone(in)
	}
	st.putBeside(in)
	return st.readBody(in)
}

// hear tells the sink what a frame said of loads.
func (st *inStream) hear() {
	if st.srv.cfg.Heard != nil && (st.heard.Has || len(st.heard.Others) > 0) {
		st.srv.cfg.Heard.Hear(st.peer, &st.heard)
	}
}

func (st *inStream) current() *inbound {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.cur
}

// enter makes in the current invocation and has it looked after.
func (st *inStream) enter(in *inbound) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closing {
		return false
	}
	st.cur = in
	st.arm(in)
	return true
}

func (st *inStream) cancelIfQueued() error {
	in := st.current()
	if in == nil {
		return nil // it crossed the answer
	}
	cancelled, reply := in.takeBack()
	if reply {
		st.sayCancelResult(in, cancelled)
	}
	if cancelled {
		in.end(&Error{Code: CodeTakenBack, Remote: true})
	}
	return nil
}

// giveUp ends what runs when the stream has: err says how.
func (st *inStream) giveUp(err error) {
	st.mu.Lock()
	in, ended := st.cur, st.ended
	raw := in != nil && in.conn != nil
	st.mu.Unlock()
	if raw {
		in.closeRaw(isEnd(err))
	}
	switch {
	case isEnd(err), errors.Is(err, errDrained), ended: // an answer may still be on its way
		return
	case isViolation(err):
		st.srv.blame(st.peer, err)
		_ = st.stream.ResetWithError(network.StreamErrorCode(CodeProtocol))
	default:
		_ = st.stream.ResetWithError(network.StreamErrorCode(CodeCancelled))
	}
	if in != nil {
		in.end(&Error{Code: callerCode(err), Remote: true, Err: err})
	}
}

func isViolation(err error) bool {
	return errors.Is(err, errMalformed) || errors.Is(err, errTooLarge) || errors.Is(err, errViolation) ||
		errors.Is(err, load.ErrMalformed) || errors.Is(err, errShort)
}

// callerCode is CodeDeadline if the caller reset the stream for that reason.
func callerCode(err error) Code {
	var reset *network.StreamError
	if errors.As(err, &reset) && reset.Remote && Code(reset.ErrorCode) == CodeDeadline {
		return CodeDeadline
	}
	return CodeCancelled
}

// shutdown ends the stream since the server closes.
func (st *inStream) shutdown() {
	st.mu.Lock()
	st.closing = true
	in := st.cur
	st.mu.Unlock()
	code := CodeDraining
	if in != nil {
		code = CodeShutdown
		in.end(&Error{Code: CodeShutdown})
	}
	_ = st.stream.ResetWithError(network.StreamErrorCode(code))
}
