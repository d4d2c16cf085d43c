package path

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/p2pfaas/p2pfaas/examples/bench/call"
)

// request calls through a broker.
type request struct{ conn *nats.Conn }

// NATS returns a client of a broker that passes calls on.
func NATS(addr string) (Client, error) {
	conn, err := nats.Connect("nats://" + addr)
	if err != nil {
		return nil, err
	}
	return &request{conn}, nil
}

func (c *request) Call(ctx context.Context, x *Exchange) error {
	answer, err := c.conn.RequestWithContext(ctx, call.Subject, x.Body)
	if err != nil {
		return err
	}
	return x.Compare(answer.Data)
}

func (c *request) Close() error {
	c.conn.Close()
	return nil
}
