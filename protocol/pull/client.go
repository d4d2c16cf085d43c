package pull

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

// Client asks peers for work, over a kept stream for each. It does not dial.
type Client struct {
	kept *streams.Kept
	news load.Source
	sink load.Sink
}

// NewClient returns a Client that tells news with each ask, and sink what comes
// with the answers.
func NewClient(h host.Host, news load.Source, sink load.Sink) *Client {
	return &Client{kept: streams.NewKept(h, ID, IdleTime), news: news, sink: sink}
}

// Ask asks p. An answer without a node's name has p's.
func (c *Client) Ask(ctx context.Context, p peer.ID, a Ask) (Answer, error) {
	var answer Answer
	err := c.kept.Exchange(ctx, p, func(s *streams.Stream) (err error) {
		var n load.News
		c.news.Fill(&n)
		if _, err = s.Write(frame(appendAsk(nil, &a, &n))); err != nil {
			return err
		}
		if s.Buffer, err = readFrame(s.R, s.Buffer); err != nil {
			return err
		}
		if err = parseAnswer(s.Buffer, &answer, &n); err == nil {
			c.sink.Hear(p, &n)
		}
		return err
	})
	if err != nil {
		return Answer{}, fmt.Errorf("ask peer for work: %w", err)
	}
	if answer.By == "" {
		answer.By = p
	}
	return answer, nil
}

// Close closes the kept streams. Asks under way end by their own contexts.
func (c *Client) Close() error { return c.kept.Close() }
