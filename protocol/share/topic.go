package share

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/p2pfaas/p2pfaas/protocol/gossip"
)

var log = logging.Logger("p2pfaas/share")

const (
	// Protocol is that of the topic's streams.
	Protocol protocol.ID = "/p2pfaas/learning/1.0.0"
	// MaxStatement bounds what is said at once, in bytes.
	MaxStatement = 32 << 10
	// DefaultPeriod is the mean time between two statements of a node.
	DefaultPeriod = 30 * time.Second
	// maxRPC bounds one RPC of pubsub, in bytes: a statement, its signature, and
	// control messages.
	maxRPC = 2 * MaxStatement
)

// ErrClosed means that the Topic was started twice, or closed.
var ErrClosed = errors.New("topic already started or closed")

// Config says what a Topic publishes and whom it hears. All fields are required but
// Period.
type Config struct {
	// Mesh is the mesh's name.
	Mesh string
	// Incarnation is the node's, growing with each start; Counter counts what it has
	// published in it, in this Topic and those before.
	Incarnation uint64
	Counter     *atomic.Uint64
	// Own is what is to be said, at most MaxStatement bytes; nil is nothing.
	Own func() []byte
	// Hear is told what others say, from one goroutine. The bytes are its own.
	Hear func(from peer.ID, said []byte)
	// Member tells whether p takes part. Strangers get nothing from us and are not
	// heard. It is asked often and from several goroutines.
	Member func(p peer.ID) bool
	// Period is DefaultPeriod if 0.
	Period time.Duration
}

// TopicName is the name of a mesh's topic.
func TopicName(mesh string) string { return "/p2pfaas/" + mesh + "/learning/1" }

// Topic tells this node's statements to all nodes that share, and hears theirs.
type Topic struct {
	cfg     Config
	host    host.Host
	name    string
	signers *signers
	refused atomic.Uint64

	done   sync.WaitGroup
	mu     sync.Mutex // guards the fields below
	closed bool
	cancel context.CancelFunc
	topic  *gossip.Topic
}

// NewTopic returns a Topic that has not yet joined.
func NewTopic(h host.Host, cfg Config) (*Topic, error) {
	if cfg.Mesh == "" || cfg.Incarnation == 0 || cfg.Counter == nil || cfg.Own == nil || cfg.Hear == nil || cfg.Member == nil {
		return nil, errors.New("learning topic: Mesh, Incarnation, Counter, Own, Hear and Member are all needed")
	}
	if cfg.Period <= 0 {
		cfg.Period = DefaultPeriod
	}
	return &Topic{cfg: cfg, host: h, name: TopicName(cfg.Mesh), signers: newSigners(cfg.Period / periodGaps)}, nil
}

// Refused counts what came of others and was not heard: forged, malformed, oversized,
// old, or more often than a signer may.
func (t *Topic) Refused() uint64 { return t.refused.Load() }

// Start joins the topic and publishes a first statement.
func (t *Topic) Start(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.cancel != nil {
		return fmt.Errorf("start learning topic: %w", ErrClosed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	topic, err := gossip.Join(ctx, t.host, gossip.Config{
		Name: t.name, Member: t.cfg.Member, Validate: t.validate, MaxRPC: maxRPC, Protocol: Protocol,
	})
	if err != nil {
		cancel()
		return fmt.Errorf("join learning topic: %w", err)
	}
	t.cancel, t.topic = cancel, topic
	t.done.Go(func() {
		gossip.Hear(ctx, topic, func(from peer.ID, e *envelope) { t.cfg.Hear(from, e.statement) })
	})
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
		}
		t.send(ctx)
		timer.Reset(gossip.Jitter(t.cfg.Period))
	}
}

func (t *Topic) send(ctx context.Context) {
	statement := t.cfg.Own()
	if statement == nil {
		return
	}
	e := envelope{t.cfg.Incarnation, t.cfg.Counter.Add(1), statement}
	if err := t.topic.Publish(ctx, e.append(nil)); err != nil && ctx.Err() == nil {
		log.Warnw("what was learned is not published", "error", err)
	}
}

// Close leaves and waits for the end.
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
	t.cancel()
	t.done.Wait()
	t.topic.Leave()
	return nil
}
