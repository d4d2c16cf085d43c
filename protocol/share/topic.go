package share

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	logging "github.com/ipfs/go-log/v2"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

var log = logging.Logger("p2pfaas/share")

const (
	// Protocol is that of the topic's streams.
	Protocol protocol.ID = "/p2pfaas/learning/1.0.0"
	// MaxStatement bounds what is said at once, in bytes.
	MaxStatement = 32 << 10
	// DefaultPeriod is the mean time between two statements of a node.
	DefaultPeriod = 30 * time.Second
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
	topic  *pubsub.Topic
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
	sub, err := t.join(ctx)
	if err != nil {
		cancel()
		return fmt.Errorf("join learning topic: %w", err)
	}
	t.cancel = cancel
	t.done.Go(func() { t.hear(ctx, sub) })
	t.done.Go(func() { t.publish(ctx) })
	return nil
}

func (t *Topic) join(ctx context.Context) (*pubsub.Subscription, error) {
	ps, err := pubsub.NewGossipSub(ctx, t.host, t.options()...)
	if err != nil {
		return nil, err
	}
	if err = ps.RegisterTopicValidator(t.name, t.validate, pubsub.WithValidatorInline(true)); err != nil {
		return nil, err
	}
	if t.topic, err = ps.Join(t.name); err != nil {
		return nil, err
	}
	return t.topic.Subscribe()
}

// hear ends with ctx.
func (t *Topic) hear(ctx context.Context, sub *pubsub.Subscription) {
	defer sub.Cancel()
	for {
		msg, err := sub.Next(ctx)
		if err != nil {
			return
		}
		// The validator left it there; our own have none.
		if e, ok := msg.ValidatorData.(*envelope); ok {
			t.cfg.Hear(msg.GetFrom(), e.statement)
		}
	}
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
		timer.Reset(jitter(t.cfg.Period))
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
	t.host.RemoveStreamHandler(Protocol)
	return nil
}

// jitter spreads d by a tenth each way, so that nodes started together do not speak
// together for ever.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}
