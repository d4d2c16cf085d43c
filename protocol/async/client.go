package async

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/pb/asyncpb"
)

// Client asks other nodes. What it returns as an error wraps one of this
// package's if the asked node said so, ErrNotReached if it was not asked,
// ErrBadReply if its answer breaks the protocol, or is the stream's: then nobody
// can tell whether the node did what it was asked. Each request may be repeated.
type Client struct {
	host  host.Host
	dial  bool
	turns *turns
}

// NewClient returns a Client that opens its streams on h. It does not dial: a
// peer without a connection is ErrNotReached.
func NewClient(h host.Host) *Client { return &Client{host: h, turns: newTurns(perPeer)} }

// Dialling is c, but it connects to a peer whose addresses the host knows. Both
// share their bound of streams.
func (c *Client) Dialling() *Client { return &Client{host: c.host, dial: true, turns: c.turns} }

// Keep has p store a copy of call and returns once it is durable there. It sends
// call.Size bytes of body, or all of it if that is -1; body is not read any more
// once it has returned. A body that ends early, or fails, is not stored.
func (c *Client) Keep(ctx context.Context, p peer.ID, call Call, body io.Reader) error {
	if err := call.check(); err != nil {
		return fmt.Errorf("keep call: %w", err)
	}
	x, err := c.open(ctx, p)
	if err != nil {
		return fmt.Errorf("keep call: %w", err)
	}
	defer x.end()
	request := &asyncpb.Request{What: &asyncpb.Request_Keep{Keep: &asyncpb.Keep{Call: call.proto()}}}
	if err := x.upload(request, body, call.Size); err != nil {
		return fmt.Errorf("keep call: %w", err)
	}
	return nil
}

// Forget has p drop its copy of the call.
func (c *Client) Forget(ctx context.Context, p peer.ID, id string) error {
	_, err := c.ask(ctx, p, &asyncpb.Request{What: &asyncpb.Request_Forget{Forget: &asyncpb.Forget{CallId: []byte(id)}}})
	if err != nil {
		return fmt.Errorf("forget call: %w", err)
	}
	return nil
}

// Find asks p how a call stands that it holds. With wantResult it returns the
// kept answer's body, too, nil if there is none: close it. ctx is that of the
// body as well. A body that breaks off ends with io.ErrUnexpectedEOF.
func (c *Client) Find(ctx context.Context, p peer.ID, id string, wantResult bool) (Status, io.ReadCloser, error) {
	if err := checkID(id); err != nil {
		return Status{}, nil, fmt.Errorf("find call: %w", err)
	}
	x, err := c.open(ctx, p)
	if err != nil {
		return Status{}, nil, fmt.Errorf("find call: %w", err)
	}
	request := &asyncpb.Request{What: &asyncpb.Request_Find{Find: &asyncpb.Find{CallId: []byte(id), WantResult: wantResult}}}
	reply, err := x.exchange(request)
	if err != nil {
		x.end()
		return Status{}, nil, fmt.Errorf("find call: %w", err)
	}
	status, err := statusOf(reply, id)
	if err == nil && reply.GetBody() && !status.Result {
		err = fmt.Errorf("%w: a body without an answer", ErrBadReply)
	}
	if err != nil || !wantResult || !reply.GetBody() {
		x.end()
		return status, nil, err
	}
	return status, x.body(status.ResultSize), nil
}

// Cancel has p end a call that it holds. With ErrFinished it returns how the
// call ended, if p said so.
func (c *Client) Cancel(ctx context.Context, p peer.ID, id string) (Status, error) {
	reply, err := c.ask(ctx, p, &asyncpb.Request{What: &asyncpb.Request_Cancel{Cancel: &asyncpb.Cancel{CallId: []byte(id)}}})
	if reply.GetStatus() == nil && err != nil {
		return Status{}, fmt.Errorf("cancel call: %w", err)
	}
	status, bad := statusOf(reply, id)
	if bad != nil {
		return Status{}, fmt.Errorf("cancel call: %w", bad)
	}
	if err != nil {
		return status, fmt.Errorf("cancel call: %w", err)
	}
	return status, nil
}

// Alive asks p which of the calls it still holds, those of the ids that it has
// not ended, in one exchange for each MaxIDs of them.
func (c *Client) Alive(ctx context.Context, p peer.ID, ids []string) ([]string, error) {
	var alive []string
	for some := range slices.Chunk(ids, MaxIDs) {
		reply, err := c.ask(ctx, p, &asyncpb.Request{What: &asyncpb.Request_Alive{Alive: &asyncpb.Alive{CallIds: rawIDs(some)}}})
		if err != nil {
			return nil, fmt.Errorf("ask which calls are alive: %w", err)
		}
		told := make(map[string]bool, len(reply.GetAlive()))
		for _, id := range reply.GetAlive() {
			told[string(id)] = true
		}
		for _, id := range some {
			if told[id] {
				alive = append(alive, id)
			}
		}
	}
	return alive, nil
}

// ask makes one exchange without bodies. A reply that is a refusal is returned
// with its error.
func (c *Client) ask(ctx context.Context, p peer.ID, request *asyncpb.Request) (*asyncpb.Reply, error) {
	x, err := c.open(ctx, p)
	if err != nil {
		return nil, err
	}
	defer x.end()
	return x.exchange(request)
}

func statusOf(reply *asyncpb.Reply, id string) (Status, error) {
	s, err := parseStatus(reply.GetStatus())
	if err == nil && s.ID != id {
		err = fmt.Errorf("%w: it is about another call", ErrBadReply)
	}
	if err != nil {
		return Status{}, err
	}
	return s, nil
}

func rawIDs(ids []string) [][]byte {
	list := make([][]byte, len(ids))
	for i, id := range ids {
		list[i] = []byte(id)
	}
	return list
}
