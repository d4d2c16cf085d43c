package node

import (
	"context"
	"errors"
	"time"
)

// goodbye is how long a draining node stays at least: until others have heard
// that it goes, and send it nothing more.
const goodbye = 500 * time.Millisecond

// Drain takes no new work, hands on what waits, and returns when all that is in
// this node's care has been answered, or with ctx's error.
func (n *Node) Drain(ctx context.Context) error {
	n.async.Quiesce()
	answered := n.dispatcher.care.drain()
	n.dispatcher.slots.drain()
	n.mesh.FunctionsChanged() // its report says that this node drains
	heard := time.After(goodbye)
	select {
	case <-answered: // till then HTTP stays open: what runs here may make inner calls
	case <-ctx.Done():
		return ctx.Err()
	}
	err := n.http.Shutdown(ctx)
	select {
	case <-heard:
	case <-ctx.Done():
	}
	return err
}

// Close ends everything at once and waits for it. A second call returns what
// the first did.
func (n *Node) Close() error {
	n.closing.Do(func() { n.closeErr = n.close() })
	return n.closeErr
}

func (n *Node) close() error {
	err := n.http.Close()
	if n.stopPulls != nil {
		n.stopPulls()
	}
	n.serving.Wait()
	if n.asked != nil {
		err = errors.Join(err, n.asked.Close(), n.asks.Close())
	}
	if n.unsubscribe != nil {
		n.unsubscribe()
	}
	if n.asyncServer != nil {
		err = errors.Join(err, n.asyncServer.Close())
	}
	if n.async != nil {
		err = errors.Join(err, n.async.Close())
	}
	if n.peers != nil {
		err = errors.Join(err, n.peers.Close())
	}
	if n.client != nil {
		err = errors.Join(err, n.client.Close())
	}
	err = errors.Join(err, n.closeLearner())
	if n.control != nil {
		err = errors.Join(err, n.control.Close())
	}
	if n.mesh != nil {
		err = errors.Join(err, n.mesh.Close())
	}
	if n.host != nil {
		err = errors.Join(err, n.host.Close())
	}
	n.weigher.close()
	if n.backend != nil {
		err = errors.Join(err, n.backend.Close())
	}
	return errors.Join(err, n.lock.Close())
}
