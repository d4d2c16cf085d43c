package hop

import (
	"bytes"
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/p2pfaas/p2pfaas/examples/bench/call"
)

// natsNode answers what a broker passes on.
type natsNode struct {
	conn     *nats.Conn
	function *function
}

// newNATS subscribes at the broker s.To for the function at s.Through.
func newNATS(s Setting) (server, error) {
	conn, err := nats.Connect("nats://"+s.To, nats.MaxReconnects(-1))
	if err != nil {
		return nil, err
	}
	n := &natsNode{conn: conn, function: callTo(s.Through)}
	sub, err := conn.Subscribe(call.Subject, func(m *nats.Msg) { go n.answer(m) }) // ends with the call
	if err == nil {
		err = sub.SetPendingLimits(-1, -1)
	}
	if err == nil {
		err = conn.Flush()
	}
	return n, err
}

func (n *natsNode) answer(m *nats.Msg) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	answer, err := n.function.call(ctx, bytes.NewReader(m.Data), int64(len(m.Data)))
	if err != nil {
		return // the client's deadline tells
	}
	defer answer.Close()
	if all, err := readAll(answer); err == nil {
		_ = m.Respond(all)
	}
}

func (n *natsNode) Addr() string { return n.conn.ConnectedAddr() }

func (n *natsNode) Close() error {
	n.conn.Close()
	n.function.close()
	return nil
}
