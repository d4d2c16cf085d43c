package async

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/pb/asyncpb"
)

// exchange is one request on a stream of its own, the asker's side.
type exchange struct {
	ctx    context.Context
	stream network.Stream
	paced  *paced
	w      *bufio.Writer
	r      *bufio.Reader
	stop   func() bool // resetting the stream when ctx ends
	give   func()      // the turn back
	once   sync.Once
	done   bool // the reply is read to its end
}

// open waits for a turn and opens a stream.
func (c *Client) open(ctx context.Context, p peer.ID) (*exchange, error) {
	give, err := c.turns.take(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("wait for one of %d streams to the node: %w", perPeer, err)
	}
	s, err := c.stream(ctx, p)
	if err != nil {
		give()
		return nil, fmt.Errorf("open async stream: %w: %w", ErrNotReached, err)
	}
	x := &exchange{ctx: ctx, stream: s, paced: &paced{Stream: s}, give: give}
	x.w, x.r = bufio.NewWriterSize(x.paced, bufSize), bufio.NewReaderSize(x.paced, 4<<10)
	x.stop = context.AfterFunc(ctx, func() { _ = s.Reset() })
	return x, nil
}

func (c *Client) stream(ctx context.Context, p peer.ID) (network.Stream, error) {
	ctx = network.WithAllowLimitedConn(ctx, "async")
	if !c.dial {
		ctx = network.WithNoDial(ctx, "async")
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	return c.host.NewStream(ctx, p, ID)
}

// end gives the stream up. It may be called more than once.
func (x *exchange) end() {
	x.once.Do(func() {
		x.stop()
		if x.done {
			_ = x.stream.Close()
		} else {
			_ = x.stream.Reset()
		}
		x.give()
	})
}

// exchange sends a request without a body and returns the reply, which may be
// followed by a body.
func (x *exchange) exchange(request *asyncpb.Request) (*asyncpb.Reply, error) {
	x.paced.until = time.Now().Add(Timeout)
	err := writeMessage(x.w, MaxMessage, request)
	if err == nil {
		err = errors.Join(x.w.Flush(), x.stream.CloseWrite())
	}
	if err != nil {
		return nil, x.cause(fmt.Errorf("write request: %w", err))
	}
	var reply asyncpb.Reply
	if err := readMessage(x.r, MaxReply, &reply); err != nil {
		return nil, x.cause(fmt.Errorf("read reply: %w", err))
	}
	x.paced.until = time.Time{}
	x.done = !reply.GetBody()
	return &reply, errorOf(code(reply.GetCode()), reply.GetText())
}

// cause is err, and why ctx ended if it did.
func (x *exchange) cause(err error) error { return errors.Join(x.ctx.Err(), err) }

// upload sends a request with a body while it waits for the reply: a refusal may
// come before the body is sent, and ends that.
func (x *exchange) upload(request *asyncpb.Request, body io.Reader, size int64) error {
	if err := writeMessage(x.w, MaxMessage, request); err != nil {
		return x.cause(fmt.Errorf("write request: %w", err))
	}
	replied := make(chan error, 1)
	go func() { replied <- x.uploaded() }()
	if err := sendBody(x.w, body, size); err != nil {
		return x.notSent(err, replied)
	}
	_ = x.stream.SetReadDeadline(time.Now().Add(StallTime))
	_ = x.stream.CloseWrite()
	err := <-replied
	x.done = err == nil
	return err
}

// uploaded reads the reply of a request with a body. A refusal resets the
// stream, lest more of the body is sent.
func (x *exchange) uploaded() error {
	var reply asyncpb.Reply
	// Not paced: when it is time for the reply depends on the body.
	if err := readMessage(bufio.NewReader(x.stream), MaxReply, &reply); err != nil {
		return x.cause(fmt.Errorf("read reply: %w", err))
	}
	err := errorOf(code(reply.GetCode()), reply.GetText())
	if err != nil {
		_ = x.stream.Reset()
	}
	return err
}

// notSent returns why a body was not sent whole: the refusal, if there is one. A
// body that failed itself is ended early, and not reset, so that the node sees
// what there is of it and that it is cut.
func (x *exchange) notSent(err error, replied <-chan error) error {
	if errors.Is(err, errBody) {
		_ = x.w.Flush()
		_ = x.stream.CloseWrite()
	}
	_ = x.stream.SetReadDeadline(time.Now().Add(Timeout))
	reply := <-replied
	var said *refusal
	if errors.As(reply, &said) {
		return reply
	}
	return x.cause(fmt.Errorf("send body: %w", err))
}

// body is what follows the reply; closing it ends the exchange.
func (x *exchange) body(size int64) io.ReadCloser {
	return &resultBody{bodyReader: newBodyReader(x.r, size), exchange: x}
}

// resultBody is the body of an answer that another node keeps.
type resultBody struct {
	*bodyReader
	exchange *exchange
}

// Close may be called before all is read; the stream is then reset.
func (b *resultBody) Close() error {
	b.exchange.done = b.whole
	b.exchange.end()
	return nil
}
