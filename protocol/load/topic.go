package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/gossip"
)

const (
	// soonTime spaces the reports that [Topic.Soon] asks for: others hear no
	// more than one every rateGap in the long run.
	soonTime = 300 * time.Millisecond
	// countPeriods is how many of our own periods a node may be silent and still
	// counts as one that reports.
	countPeriods = 3
	// leaveTime is how long the last report has to get out.
	leaveTime = 50 * time.Millisecond
)

// TopicConfig says what a Topic publishes and whom it believes. All fields are
// required but Cell and Degree.
type TopicConfig struct {
	// Mesh is the mesh's name, Cell the part of it that gossips together ("0"
	// if empty).
	Mesh string
	Cell string
	// Own fills in the report to be published; its counter MUST grow each time.
	Own func(r *Report)
	// Hear is told each valid report of another node, from one goroutine. It
	// MUST be cheap.
	Hear func(from peer.ID, r *Report)
	// Member tells whether p takes part. Strangers get nothing from us and are
	// not heard. It is asked often and from several goroutines.
	Member func(p peer.ID) bool
	// Period is the mean time between two reports, asked before each.
	Period func() time.Duration
	// Degree is how many members this node exchanges all reports with; each comes
	// about as often. 0 is DefaultDegree, and less than LeastDegree is that.
	Degree int
}

// Degrees of a Topic: below the least a ring of nodes may fall apart with two of
// them, and a report that got lost is not repeated.
const (
	DefaultDegree = 4
	LeastDegree   = 3
)

// TopicName is the name of the topic of one cell of a mesh.
func TopicName(mesh, cell string) string { return "/p2pfaas/" + mesh + "/load/1/" + cell }

// Topic publishes this node's reports to all nodes of its cell and hears
// theirs. Every report is signed by its node, so who relays it does not matter:
// it is as good as heard directly, only later.
//
// Nothing on the topic depends on clocks being equal or even right: reports are
// ordered by (incarnation, counter), and messages are told apart by their
// content.
type Topic struct {
	cfg     TopicConfig
	host    host.Host
	name    string
	signers *signers
	counts  counts
	others  atomic.Int64 // see Signers
	soon    chan struct{}

	done   sync.WaitGroup
	mu     sync.Mutex // guards the fields below
	closed bool
	cancel context.CancelFunc
	topic  *gossip.Topic
}

// Counts says what became of the reports of others since the start.
type Counts struct {
	Heard    uint64 // news
	Ignored  uint64 // old, or more often than a signer may
	Rejected uint64 // forged, malformed or oversized
}

type counts struct{ heard, ignored, rejected atomic.Uint64 }

// Counts tells what became of reports so far.
func (t *Topic) Counts() Counts {
	return Counts{Heard: t.counts.heard.Load(), Ignored: t.counts.ignored.Load(), Rejected: t.counts.rejected.Load()}
}

// NewTopic returns a Topic that has not yet joined.
func NewTopic(h host.Host, cfg TopicConfig) (*Topic, error) {
	if cfg.Own == nil || cfg.Hear == nil || cfg.Member == nil || cfg.Period == nil {
		return nil, errors.New("load topic: Own, Hear, Member and Period are all needed")
	}
	cfg.Degree = max(cmp.Or(cfg.Degree, DefaultDegree), LeastDegree)
	if cfg.Cell == "" {
		cfg.Cell = "0"
	}
	return &Topic{cfg: cfg, host: h, name: TopicName(cfg.Mesh, cfg.Cell),
		signers: newSigners(), soon: make(chan struct{}, 1)}, nil
}

// Start joins the topic and publishes a first report.
func (t *Topic) Start(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.cancel != nil {
		return fmt.Errorf("start load topic: %w", ErrClosed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	topic, err := gossip.Join(ctx, t.host, t.gossip())
	if err != nil {
		cancel()
		return fmt.Errorf("join load topic: %w", err)
	}
	t.cancel, t.topic = cancel, topic
	t.done.Go(func() { gossip.Hear(ctx, topic, t.cfg.Hear) })
	t.done.Go(func() { t.publish(ctx) })
	return nil
}

// publish ends with ctx.
func (t *Topic) publish(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-t.soon:
			if !sleep(ctx, soonTime) {
				return
			}
		}
		t.send(ctx)
		t.others.Store(int64(t.signers.since(time.Now().Add(-countPeriods * t.cfg.Period()))))
		timer.Reset(gossip.Jitter(t.cfg.Period()))
	}
}

func (t *Topic) send(ctx context.Context) {
	var r Report
	t.cfg.Own(&r)
	if err := t.topic.Publish(ctx, AppendReport(nil, &r)); err != nil && ctx.Err() == nil {
		log.Warnw("load report not published", "err", err)
	}
}

// Signers is how many other nodes were heard on the topic within three periods, as
// of our last report: those that we are not connected to included. A hostile member
// can invent some; no more than 16384 are counted.
func (t *Topic) Signers() int { return int(t.others.Load()) }

// Soon asks for a report ahead of time: something changed that others should
// know. Several calls within a moment make one report.
func (t *Topic) Soon() {
	select {
	case t.soon <- struct{}{}:
	default:
	}
}

// Close publishes a last report, leaves, and waits for the end.
func (t *Topic) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	if t.cancel == nil {
		return nil
	}
	t.send(context.Background())
	time.Sleep(leaveTime) // pubsub has no way to tell when a message has left
	t.cancel()
	t.done.Wait()
	t.topic.Leave()
	return nil
}

// sleep returns false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
