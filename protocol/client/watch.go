package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

const (
	// silence is how long a node that owes us something may say nothing before
	// it is pinged, and pingWait how long the ping may take. Together they end
	// a connection whose other end was unplugged within 3 s, where TCP needs
	// minutes.
	silence  = 500 * time.Millisecond
	pingWait = 2 * time.Second
)

// watch closes the connections to nodes that have gone silent while they owe an
// answer. The invocations on them then fail, and may be tried elsewhere.
type watch struct {
	host corehost.Host
	wg   sync.WaitGroup

	mu     sync.Mutex // guards what follows, and the debts of each debtor
	peers  map[peer.ID]*debtor
	closed bool
}

// debtor is a node that owes answers. Its goroutine ends with the last of them.
type debtor struct {
	debts int
	stop  context.CancelFunc
	start time.Time
	heard atomic.Int64 // nanoseconds after start
}

func newWatch(h corehost.Host) *watch {
	return &watch{host: h, peers: make(map[peer.ID]*debtor)}
}

// debt is an answer that a node owes.
type debt struct {
	*debtor
	settled func() // it is there, or will not come; may be called more than once
}

// owes counts an answer that p owes from now on.
func (w *watch) owes(p peer.ID) debt {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.peers[p]
	if d == nil {
		var ctx context.Context
		d = &debtor{start: time.Now()}
		ctx, d.stop = context.WithCancel(context.Background())
		w.peers[p] = d
		if !w.closed {
			w.wg.Go(func() { w.run(ctx, p, d) })
		}
	}
	d.debts++
	d.hear() // nothing can have come before
	return debt{d, sync.OnceFunc(func() { w.settle(p, d) })}
}

func (w *watch) settle(p peer.ID, d *debtor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.debts--; d.debts == 0 {
		d.stop()
		delete(w.peers, p)
	}
}

// hear tells that something came from the node.
func (d *debtor) hear() { d.heard.Store(int64(time.Since(d.start))) }

func (d *debtor) silent() bool {
	return time.Since(d.start)-time.Duration(d.heard.Load()) > silence
}

func (w *watch) run(ctx context.Context, p peer.ID, d *debtor) {
	tick := time.NewTicker(silence)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if d.silent() {
			w.check(ctx, p, d)
		}
	}
}

func (w *watch) check(ctx context.Context, p peer.ID, d *debtor) {
	switch {
	case w.answers(ctx, p):
		d.hear()
	case d.silent() && ctx.Err() == nil:
		log.Infow("node has gone silent, connection closed", "peer", p)
		_ = w.host.Network().ClosePeer(p) // it is broken already
	}
}

// answers pings p. Any answer shows that it is alive, also that it knows no ping.
func (w *watch) answers(ctx context.Context, p peer.ID) bool {
	ctx, cancel := context.WithTimeout(network.WithNoDial(ctx, "ping"), pingWait)
	defer cancel()
	<-ping.Ping(ctx, w.host, p)
	return ctx.Err() == nil
}

// close ends the goroutines and waits for them.
func (w *watch) close() {
	w.mu.Lock()
	w.closed = true
	for _, d := range w.peers {
		d.stop()
	}
	w.mu.Unlock()
	w.wg.Wait()
}
