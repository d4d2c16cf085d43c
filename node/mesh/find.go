package mesh

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/p2pfaas/p2pfaas/protocol/host"
)

const (
	// findTime bounds one search, introduceTime getting to know one node by it.
	findTime      = 2 * time.Second
	introduceTime = time.Second
	// missTime is how long what was not found is not sought again.
	missTime = 5 * time.Second
	// searchesAtOnce are under way, maxSearches wait for that, and searchRate
	// begin per second at most: names that nobody knows come from anybody.
	searchesAtOnce = 4
	maxSearches    = 64
	searchRate     = 20
	// maxMisses bounds those remembered.
	maxMisses = 1024
	// maxTries bounds the nodes that one search asks, maxFound those that it
	// makes neighbours.
	maxTries = 8
	maxFound = 4
)

// Directory knows who runs what in the whole mesh; a *host.Host is one.
type Directory interface {
	// Advertise replaces the keys under which Providers finds this node.
	Advertise(keys []string)
	Providers(ctx context.Context, key string) iter.Seq[peer.AddrInfo]
	// Connect returns when the peer is a member.
	Connect(ctx context.Context, info peer.AddrInfo) (host.Member, error)
}

// functionKey is a function's in a Directory.
func functionKey(function string) string { return "function/" + function }

// Find tells whether a neighbour runs the function in any version, as Has does.
// If none does, it first looks among the other members and in the Directory, for
// at most 2 s or until ctx ends, and makes neighbours of those that do. What was
// not found is not sought again for 5 s.
func (m *Mesh) Find(ctx context.Context, function string) bool {
	if m.Runs(function) {
		return true
	}
	s := m.seek(function)
	if s == nil {
		return false
	}
	select {
	case <-s.done:
	case <-ctx.Done():
	}
	return m.Runs(function)
}

// seek returns the search for a function, begun now if there is none. nil: it
// was sought a moment ago, or there are too many.
func (m *Mesh) seek(function string) *search {
	f := m.finder
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.searches[function]; s != nil {
		return s
	}
	if f.closed || len(f.searches) >= maxSearches || m.now() < f.misses[function] {
		return nil
	}
	function = strings.Clone(function) // it may be a part of a whole request
	s := &search{done: make(chan struct{})}
	f.searches[function] = s
	f.work.Go(func() {
		defer s.end()
		found := m.search(function, s)
		f.ended(function, found, m.now())
	})
	return s
}

// search looks among members first: they need not be dialled.
func (m *Mesh) search(function string, s *search) (found bool) {
	ctx, cancel := context.WithTimeout(m.finder.ctx, findTime)
	defer cancel()
	select {
	case m.finder.places <- struct{}{}:
		defer func() { <-m.finder.places }()
	case <-ctx.Done():
		return false
	}
	if m.finder.rate.Wait(ctx) != nil {
		return false
	}
	if in := m.introduceAll(ctx, slices.Values(m.outside(function)), function, s); in > 0 {
		return true
	}
	if m.cfg.Directory == nil {
		return false
	}
	return m.introduceAll(ctx, m.cfg.Directory.Providers(ctx, functionKey(function)), function, s) > 0
}

// outside are members out of view that ran the function when they were last asked.
func (m *Mesh) outside(function string) (infos []peer.AddrInfo) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for id, n := range m.table.members {
		if !n.inView && len(infos) < maxTries && n.functions.lends(function) {
			infos = append(infos, peer.AddrInfo{ID: id})
		}
	}
	return infos
}

// introduceAll introduces nodes all at once, and ends s with the first that
// became a neighbour. It returns how many did.
func (m *Mesh) introduceAll(ctx context.Context, infos iter.Seq[peer.AddrInfo], function string, s *search) (in int) {
	var all sync.WaitGroup
	var mu sync.Mutex // guards in
	tries := 0
	for info := range infos {
		if info.ID == m.host.ID() {
			continue
		}
		all.Go(func() {
			if !m.introduce(ctx, info, function) {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if in < maxFound && m.invite(info.ID, in == 0) {
				in++
				s.end()
			}
		})
		if tries++; tries == maxTries {
			break
		}
	}
	all.Wait()
	return in
}

// introduce tells whether a node runs the function. It is a member then, and what
// it runs is known.
func (m *Mesh) introduce(ctx context.Context, info peer.AddrInfo, function string) bool {
	ctx, cancel := context.WithTimeout(ctx, introduceTime)
	defer cancel()
	if err := m.acquaint(ctx, info); err != nil {
		log.Debugw("provider not reached", "peer", info.ID, "err", err)
		return false
	}
	reply, err := m.control.Functions(ctx, info.ID)
	l := fromControl(reply)
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.table.members[info.ID]
	if n == nil {
		return false
	}
	m.table.fetched(n, l, err, m.now())
	return err == nil && l.lends(function)
}

// acquaint waits until the node is in our table of members.
func (m *Mesh) acquaint(ctx context.Context, info peer.AddrInfo) error {
	if m.IsMember(info.ID) {
		return nil
	}
	if _, err := m.cfg.Directory.Connect(ctx, info); err != nil {
		return err
	}
	// The host tells of it on its way to us.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !m.IsMember(info.ID) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// invite makes a member a neighbour; at the cost of another one only if it must.
func (m *Mesh) invite(p peer.ID, must bool) bool {
	own, now := m.runs(), m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.table.members[p]
	if n == nil || (!must && !n.inView && len(m.table.view) >= m.table.max) {
		return false
	}
	m.table.invite(n, own, now)
	return true
}
