package host

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

const (
	firstBackoff = time.Second
	lastBackoff  = 30 * time.Second
	dialTimeout  = 10 * time.Second
	// maxTries is when a peer that need not be reached is given up: about two
	// minutes. It may still be found again, or dial us.
	maxTries = 8
	// parallelDials bounds the dials to remembered peers at one time.
	parallelDials = 16
	// maxTargets bounds the peers pursued: anybody on the local network can
	// announce any number of them.
	maxTargets = 1024
	// courtesy is how long the peer with the larger ID leaves the dial to the
	// other one when both have just learnt of each other: one connection is enough.
	courtesy = 100 * time.Millisecond
)

// source is why a peer is dialled.
type source uint8

const (
	remembered source = iota
	found             // on the local network, or because it was connected before
	bootstrap         // by configuration: never given up
)

// dialler keeps the host connected to the peers that it knows. Each peer that is
// known and not connected has one goroutine, which ends when the peer is
// connected, given up, or the dialler closes.
type dialler struct {
	host   corehost.Host
	failed func(peer.ID, error) // hears of each failed dial
	slots  chan struct{}        // for remembered peers
	full   func() bool          // whether only bootstrap peers are still dialled

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	peers  map[peer.ID]*target
}

// target is a peer that the host wants to be connected to.
type target struct {
	source  source
	running bool
	tries   int           // failed ones since it was last a member
	again   chan struct{} // holds one: try now
}

func newDialler(h corehost.Host, full func() bool, failed func(peer.ID, error)) *dialler {
	d := &dialler{host: h, full: full, failed: failed, slots: make(chan struct{}, parallelDials), peers: make(map[peer.ID]*target)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// close ends all dials and waits for them.
func (d *dialler) close() {
	d.cancel()
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.wg.Wait()
}

// want dials a peer now, unless it is connected, and keeps trying.
func (d *dialler) want(info peer.AddrInfo, why source) {
	if info.ID == d.host.ID() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.peers[info.ID]
	if t == nil && why != bootstrap && len(d.peers) >= maxTargets {
		return
	}
	d.host.Peerstore().AddAddrs(info.ID, info.Addrs, addrTTL(why))
	if t == nil {
		t = &target{again: make(chan struct{}, 1)}
		d.peers[info.ID] = t
	}
	t.source = max(t.source, why)
	if why != remembered {
		t.tries = 0
	}
	if !t.running {
		d.pursue(info.ID, t, 0)
		return
	}
	t.hurry()
}

// addrTTL is how long addresses are tried. Those of bootstrap peers are for
// ever, others are learnt anew by each connection.
func addrTTL(why source) time.Duration {
	if why == bootstrap {
		return peerstore.PermanentAddrTTL
	}
	return peerstore.RecentlyConnectedAddrTTL
}

// hurry dials all that are pursued now, as the network has changed.
func (d *dialler) hurry() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.peers {
		t.tries = 0
		if t.running {
			t.hurry()
		}
	}
}

func (t *target) hurry() {
	select {
	case t.again <- struct{}{}:
	default:
	}
}

// joined notes that a peer is a member: the next loss of it begins anew.
func (d *dialler) joined(p peer.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.peers[p]
	if t == nil {
		t = &target{source: found, again: make(chan struct{}, 1)}
		d.peers[p] = t
	}
	t.tries = 0
}

// lost dials a known peer again whose last connection was closed.
func (d *dialler) lost(p peer.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.peers[p]; t != nil {
		d.pursue(p, t, backoff(t.tries)/2)
	}
}

// drop stops pursuing a peer that belongs elsewhere, unless it was configured.
func (d *dialler) drop(p peer.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.peers[p]; t != nil && t.source != bootstrap {
		delete(d.peers, p)
	}
}

// pursue begins the goroutine of a peer, if there is none. d.mu is held.
func (d *dialler) pursue(p peer.ID, t *target, wait time.Duration) {
	if t.running || d.closed {
		return
	}
	t.running = true
	if t.source == found && d.host.ID() > p {
		wait += courtesy
	}
	d.wg.Go(func() { d.run(p, t, wait) })
}

func (d *dialler) run(p peer.ID, t *target, wait time.Duration) {
	for d.pause(t, wait) {
		why, ok := d.needed(p, t)
		if !ok {
			return
		}
		d.dial(p, why)
		wait = d.next(p, t)
	}
}

// pause waits, or until the peer was found again. False: the dialler closes.
func (d *dialler) pause(t *target, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.again:
	case <-d.ctx.Done():
	}
	return d.ctx.Err() == nil
}

// needed tells whether to dial, and why; if not, the goroutine ends.
func (d *dialler) needed(p peer.ID, t *target) (source, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	connected := d.host.Network().Connectedness(p) == network.Connected
	givenUp := t.source != bootstrap && (t.tries >= maxTries || d.full())
	if connected || givenUp || d.peers[p] != t {
		t.running = false
		if givenUp {
			delete(d.peers, p)
		}
		return t.source, false
	}
	return t.source, true
}

// dial tries once. A success ends the next call of needed.
func (d *dialler) dial(p peer.ID, why source) {
	if why == remembered {
		select {
		case d.slots <- struct{}{}:
			defer func() { <-d.slots }()
		case <-d.ctx.Done():
			return
		}
	}
	ctx, cancel := context.WithTimeout(d.ctx, dialTimeout)
	defer cancel()
	clearBackoff(d.host.Network(), p)
	_, err := d.host.Network().DialPeer(ctx, p)
	if err != nil && !errors.Is(err, context.Canceled) {
		d.failed(p, err)
	}
}

// next counts a try, which only joined takes back: a peer that accepts
// connections and refuses our hello is not dialled in a circle.
func (d *dialler) next(p peer.ID, t *target) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	t.tries++
	if d.host.Network().Connectedness(p) == network.Connected {
		return 0
	}
	return backoff(t.tries)
}

// backoff is 1 s after the first failure, then doubles up to 30 s, each from
// half to one and a half times that, so that nodes which lost each other
// together do not dial together.
func backoff(tries int) time.Duration {
	d := lastBackoff
	if tries < 6 {
		d = min(firstBackoff<<max(tries-1, 0), lastBackoff)
	}
	return d/2 + rand.N(d)
}

// clearBackoff lets the next dial go out: our backoff rules, the swarm's would
// begin at 5 s.
func clearBackoff(n network.Network, p peer.ID) {
	if s, ok := n.(*swarm.Swarm); ok {
		s.Backoff().Clear(p)
	}
}
