package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

// ID is the probe protocol's ID.
const ID protocol.ID = "/p2pfaas/load/1.0.0"

// IdleTime is how long a kept stream may lie unused before it is closed.
const IdleTime = 60 * time.Second

// ErrClosed means that the Topic has been closed.
var ErrClosed = errors.New("closed")

// Prober asks peers for their load, over a kept stream for each. A probe is
// also how the round-trip time to a peer is measured.
type Prober struct {
	kept   *streams.Kept
	source Source
}

// NewProber returns a Prober that tells source's news with each question.
func NewProber(h host.Host, source Source) *Prober {
	return &Prober{kept: streams.NewKept(h, ID, IdleTime), source: source}
}

// Probe asks p for its news and returns them with the time that it took. It
// does not dial: a peer without a connection is an error. A kept stream that
// turns out to be dead is replaced by a new one, once.
func (p *Prober) Probe(ctx context.Context, id peer.ID) (news News, rtt time.Duration, err error) {
	err = p.kept.Exchange(ctx, id, func(s *streams.Stream) error {
		news, rtt, err = p.ask(s)
		return err
	})
	if err != nil {
		return News{}, 0, fmt.Errorf("probe peer: %w", err)
	}
	return news, rtt, nil
}

func (p *Prober) ask(s *streams.Stream) (news News, rtt time.Duration, err error) {
	var out framer
	p.source.Fill(&news)
	question := out.frame(&news)
	sent := time.Now()
	if _, err = s.Write(question); err != nil {
		return news, 0, err
	}
	if s.Buffer, err = readFrame(s.R, s.Buffer); err != nil {
		return news, 0, err
	}
	rtt = time.Since(sent)
	return news, rtt, ParseMessage(s.Buffer, &news)
}

// Close closes the kept streams. Probes under way end by their own contexts.
func (p *Prober) Close() error { return p.kept.Close() }
