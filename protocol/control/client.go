package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-msgio/pbio"

	"github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"
)

// Client asks peers.
type Client struct{ host host.Host }

// NewClient returns a Client that opens its streams on h.
func NewClient(h host.Host) *Client { return &Client{host: h} }

// Functions asks p what it runs. Errors are *Error if p says so, wrap
// ErrBadReply if its answer breaks the protocol, or are the stream's.
func (c *Client) Functions(ctx context.Context, p peer.ID) (Functions, error) {
	reply, err := c.ask(ctx, p, &controlpb.Request{What: &controlpb.Request_Functions{Functions: &controlpb.FunctionsRequest{}}})
	if err != nil {
		return Functions{}, fmt.Errorf("ask peer for its functions: %w", err)
	}
	list, ok := reply.What.(*controlpb.Reply_Functions)
	if !ok {
		return Functions{}, fmt.Errorf("ask peer for its functions: %w: it is not a list of functions", ErrBadReply)
	}
	return parseFunctions(list.Functions)
}

// Why asks p, and through it the others on its path, about a call. Errors are
// as those of Functions.
func (c *Client) Why(ctx context.Context, p peer.ID, q WhyQuery) (Why, error) {
	reply, err := c.ask(ctx, p, &controlpb.Request{What: &controlpb.Request_Why{Why: q.proto()}})
	if err != nil {
		return Why{}, fmt.Errorf("ask peer about a call: %w", err)
	}
	why, ok := reply.What.(*controlpb.Reply_Why)
	if !ok {
		return Why{}, fmt.Errorf("ask peer about a call: %w: it is no account of it", ErrBadReply)
	}
	return parseWhy(q.CallID, why.Why)
}

// Calls asks p for the latest calls that this host may see. Errors are as those of
// Functions.
func (c *Client) Calls(ctx context.Context, p peer.ID, q CallsQuery) ([]Call, error) {
	reply, err := c.ask(ctx, p, &controlpb.Request{What: &controlpb.Request_Calls{Calls: q.proto()}})
	if err != nil {
		return nil, fmt.Errorf("ask peer for its calls: %w", err)
	}
	calls, ok := reply.What.(*controlpb.Reply_Calls)
	if !ok {
		return nil, fmt.Errorf("ask peer for its calls: %w: it is not a list of calls", ErrBadReply)
	}
	var d decoder
	list := d.calls(calls.Calls.GetCalls(), MaxCalls)
	return list, d.err
}

// Status asks p how it fares. Errors are as those of Functions.
func (c *Client) Status(ctx context.Context, p peer.ID) (Status, error) {
	reply, err := c.ask(ctx, p, &controlpb.Request{What: &controlpb.Request_Status{Status: &controlpb.StatusRequest{}}})
	if err != nil {
		return Status{}, fmt.Errorf("ask peer how it fares: %w", err)
	}
	status, ok := reply.What.(*controlpb.Reply_Status)
	if !ok {
		return Status{}, fmt.Errorf("ask peer how it fares: %w: it is no status", ErrBadReply)
	}
	s, err := parseStatus(status.Status)
	s.Peer = p
	return s, err
}

func (c *Client) ask(ctx context.Context, p peer.ID, request *controlpb.Request) (*controlpb.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	s, err := c.host.NewStream(network.WithAllowLimitedConn(ctx, "control"), p, ID)
	if err != nil {
		return nil, fmt.Errorf("open control stream: %w: %w", ErrNotReached, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	reply, err := exchange(s, request)
	if !stop() {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		_ = s.Reset()
		return nil, err
	}
	return reply, s.Close()
}

func exchange(s network.Stream, request *controlpb.Request) (*controlpb.Reply, error) {
	if err := pbio.NewDelimitedWriter(s).WriteMsg(request); err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	if err := s.CloseWrite(); err != nil {
		return nil, fmt.Errorf("end request: %w", err)
	}
	reply := new(controlpb.Reply)
	if err := pbio.NewDelimitedReader(s, MaxReply).ReadMsg(reply); err != nil {
		return nil, fmt.Errorf("read reply: %w", err)
	}
	if code := Code(reply.GetCode()); code != CodeOK {
		return nil, &Error{Code: code, Text: printable(reply.GetText())}
	}
	return reply, nil
}

// printable keeps what a peer says from playing tricks with a terminal or a log.
func printable(s string) string {
	const most = 200
	out := make([]byte, 0, min(len(s), most))
	for i := 0; i < len(s) && len(out) < most; i++ {
		if s[i] >= ' ' && s[i] <= '~' {
			out = append(out, s[i])
		}
	}
	return string(out)
}
