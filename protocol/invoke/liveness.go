package invoke

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

// A peer that hangs, or whose cable is pulled, ends no stream: TCP alone would
// notice after minutes. So while an answer is due from a peer, and nothing at
// all has come over its streams for a while, it is pinged; if that brings
// nothing either, its connections are closed, and each invocation on them fails
// at once with what is known of it.

const (
	// silence is how long a peer that owes an answer may say nothing before it
	// is pinged.
	silence = 500 * time.Millisecond
	// pingWait is how long it then has at least; a busy small machine may be late
	// by some hundred milliseconds. One that is far away has four round trips, but
	// no more than pingLimit: what is known of the distance is an average, in which
	// a ping that was answered after a cable had been out counts for seconds.
	pingWait  = time.Second
	pingLimit = 2 * time.Second
	// lookEvery is how often silence is looked for while answers are due.
	lookEvery = silence / 2
)

// hearing is how long a peer has been silent. The Client's mu guards it.
type hearing struct {
	reads   uint64    // of its streams, when last looked at
	since   time.Time // it has been silent, as far as known
	pinging bool
}

// owed says that an answer is due from now on; it needs mu.
func (c *Client) owed(pl *peerPool, now time.Time) {
	if pl.busy() == 1 {
		pl.hearing.since = now
	}
	if !c.listening {
		c.listening = true
		c.listener.Reset(lookEvery)
	}
}

// listen looks for silent peers, and for streams that have left the count since
// they are busy for long. It goes on as long as answers are due.
func (c *Client) listen() {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listening = false
	if c.closed {
		return
	}
	for p, pl := range c.peers {
		if pl.busy() == 0 {
			continue
		}
		c.listening = true
		c.serveLine(pl, now)
		if pl.silent(now) && !pl.hearing.pinging {
			pl.hearing.pinging = true
			c.senders.Go(func() { c.askWhetherAlive(p, pl) }) // ends after pingWait
		}
	}
	if c.listening {
		c.listener.Reset(lookEvery)
	}
}

// busy is how many streams an exchange has, or is about to open.
func (pl *peerPool) busy() int { return pl.counted + pl.long - len(pl.idle) }

func (pl *peerPool) silent(now time.Time) bool {
	h := &pl.hearing
	if reads := pl.reads.Load(); reads != h.reads {
		h.reads, h.since = reads, now
	}
	return now.Sub(h.since) >= silence
}

// askWhetherAlive pings p, and closes its connections if nothing comes.
func (c *Client) askWhetherAlive(p peer.ID, pl *peerPool) {
	before := pl.reads.Load()
	wait := min(max(pingWait, 4*c.host.Peerstore().LatencyEWMA(p)), pingLimit)
	ctx, cancel := context.WithTimeout(network.WithNoDial(c.life, "liveness"), wait)
	defer cancel()
	<-ping.Ping(ctx, c.host, p) // any result in time shows that it lives
	alive := ctx.Err() == nil || pl.reads.Load() != before
	c.mu.Lock()
	pl.hearing.pinging = false
	pl.hearing.since = time.Now()
	alive = alive || c.closed || pl.busy() == 0
	if !alive {
		c.silenced++
	}
	c.mu.Unlock()
	if alive {
		return
	}
	log.Warnw("peer has gone silent, its connections are closed", "peer", p, "silence", silence+wait)
	_ = c.host.Network().ClosePeer(p) // broken already
}

// countedReader counts the reads of a stream.
type countedReader struct {
	network.Stream
	pool *peerPool
}

func (r countedReader) Read(p []byte) (int, error) {
	n, err := r.Stream.Read(p)
	if n > 0 {
		r.pool.reads.Add(1)
	}
	return n, err
}
