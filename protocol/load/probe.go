package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// ID is the probe protocol's ID.
const ID protocol.ID = "/p2pfaas/load/1.0.0"

const (
	// IdleTime is how long a kept stream may lie unused before it is closed.
	IdleTime = 60 * time.Second
	// probeTime bounds a probe whose context has no deadline.
	probeTime = 5 * time.Second
)

// ErrClosed means that the Prober or Topic has been closed.
var ErrClosed = errors.New("closed")

// Prober asks peers for their load, over a kept stream for each. A probe is
// also how the round-trip time to a peer is measured.
type Prober struct {
	host   host.Host
	source Source
	idle   time.Duration

	mu     sync.Mutex // guards the fields below
	closed bool
	kept   map[peer.ID]*keptStream
}

// keptStream is not in use; whoever takes it from Prober.kept owns it.
type keptStream struct {
	network.Stream
	r    *bufio.Reader
	out  framer
	in   []byte
	idle *time.Timer // closes it
}

// NewProber returns a Prober that tells source's news with each question.
func NewProber(h host.Host, source Source) *Prober {
	return &Prober{host: h, source: source, idle: IdleTime, kept: make(map[peer.ID]*keptStream)}
}

// Probe asks p for its news and returns them with the time that it took. It
// does not dial: a peer without a connection is an error. A kept stream that
// turns out to be dead is replaced by a new one, once.
func (p *Prober) Probe(ctx context.Context, id peer.ID) (News, time.Duration, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	if s := p.take(id); s != nil {
		news, rtt, err := p.exchange(ctx, id, s)
		if err == nil || ctx.Err() != nil {
			return news, rtt, err
		}
	}
	s, err := p.open(ctx, id)
	if err != nil {
		return News{}, 0, err
	}
	return p.exchange(ctx, id, s)
}

func withLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, probeTime)
}

func (p *Prober) open(ctx context.Context, id peer.ID) (*keptStream, error) {
	ctx = network.WithNoDial(network.WithAllowLimitedConn(ctx, "probe"), "probe")
	s, err := p.host.NewStream(ctx, id, ID)
	if err != nil {
		return nil, fmt.Errorf("open probe stream: %w", err)
	}
	return &keptStream{Stream: s, r: bufio.NewReaderSize(s, 512)}, nil
}

// exchange asks once on s, which it keeps or resets.
func (p *Prober) exchange(ctx context.Context, id peer.ID, s *keptStream) (News, time.Duration, error) {
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	news, rtt, err := p.ask(s)
	if !stop() {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		_ = s.Reset()
		return News{}, 0, fmt.Errorf("probe peer: %w", err)
	}
	p.keep(id, s)
	return news, rtt, nil
}

func (p *Prober) ask(s *keptStream) (news News, rtt time.Duration, err error) {
	p.source.Fill(&news)
	question := s.out.frame(&news)
	sent := time.Now()
	if _, err = s.Write(question); err != nil {
		return news, 0, err
	}
	if s.in, err = readFrame(s.r, s.in); err != nil {
		return news, 0, err
	}
	rtt = time.Since(sent)
	return news, rtt, ParseMessage(s.in, &news)
}

func (p *Prober) take(id peer.ID) *keptStream {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.kept[id]
	delete(p.kept, id)
	if s != nil {
		s.idle.Stop()
	}
	return s
}

func (p *Prober) keep(id peer.ID, s *keptStream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, taken := p.kept[id]; taken || p.closed {
		_ = s.Reset()
		return
	}
	p.kept[id] = s
	s.idle = time.AfterFunc(p.idle, func() { p.drop(id, s) })
}

// drop closes s unless somebody has taken it meanwhile.
func (p *Prober) drop(id peer.ID, s *keptStream) {
	p.mu.Lock()
	mine := p.kept[id] == s
	if mine {
		delete(p.kept, id)
	}
	p.mu.Unlock()
	if mine {
		_ = s.Reset()
	}
}

// Close closes the kept streams. Probes under way end by their own contexts.
func (p *Prober) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for id, s := range p.kept {
		s.idle.Stop()
		_ = s.Reset()
		delete(p.kept, id)
	}
	return nil
}
