package node

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pfaas/p2pfaas/protocol/share"
	"github.com/p2pfaas/p2pfaas/sched"
)

// sharer exchanges what the policy in force has learned with other nodes, while that
// policy wants to.
type sharer struct {
	node    *Node
	period  time.Duration // 0 is share.DefaultPeriod
	counter atomic.Uint64 // of statements
	results *prometheus.CounterVec
	told    map[peer.ID]bool // whose refusal was logged, of this topic
}

// Results of statements, as labels.
const (
	shareSent     = "sent"
	shareAbsorbed = "absorbed"
	shareRefused  = "refused"
)

// mostTold bounds the peers that are told apart in the log.
const mostTold = 1024

func newSharer(n *Node) *sharer {
	s := &sharer{node: n, results: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "p2pfaas_learning_shared_total",
		Help: "Statements of what was learned: sent to others, and those of others that were absorbed or refused.",
	}, []string{"result"})}
	for _, result := range []string{shareSent, shareAbsorbed, shareRefused} {
		s.results.WithLabelValues(result)
	}
	n.dispatcher.metrics.registry.MustRegister(s.results)
	return s
}

// run joins the topic while the policy shares, until ctx ends.
func (s *sharer) run(ctx context.Context) {
	tick := time.NewTicker(learningPeriod)
	defer tick.Stop()
	var topic *share.Topic
	failed := false
	for ctx.Err() == nil {
		switch on := s.node.dispatcher.policy.sharing(); {
		case on && topic == nil && !failed:
			topic = s.join(ctx)
			failed = topic == nil
		case !on:
			s.leave(topic)
			topic, failed = nil, false
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	s.leave(topic)
}

// join returns nil if it cannot; that is not tried again until the policy changes.
func (s *sharer) join(ctx context.Context) *share.Topic {
	n := s.node
	s.told = make(map[peer.ID]bool)
	topic, err := share.NewTopic(n.host.Libp2p(), share.Config{
		Mesh: n.cfg.Mesh, Incarnation: n.incarnation, Counter: &s.counter,
		Own: s.own, Hear: s.hear, Member: n.mesh.IsMember, Period: s.period,
	})
	if err == nil {
		err = topic.Start(ctx)
	}
	if err != nil {
		log.Warnw("what the policy learns cannot be shared", "policy", n.dispatcher.policy.name(), "error", err)
		return nil
	}
	log.Infow("what the policy learns is shared", "policy", n.dispatcher.policy.name(), "topic", share.TopicName(n.cfg.Mesh))
	return topic
}

func (s *sharer) leave(topic *share.Topic) {
	if topic == nil {
		return
	}
	_ = topic.Close() // it has no errors
	log.Infow("what the policy learns is shared no longer", "policy", s.node.dispatcher.policy.name())
}

// own is what this node tells.
func (s *sharer) own() []byte {
	statement := s.node.dispatcher.policy.share(s.node.dispatcher.clock())
	if statement != nil {
		s.results.WithLabelValues(shareSent).Inc()
	}
	return statement
}

// hear is called from one goroutine.
func (s *sharer) hear(from peer.ID, statement []byte) {
	err := s.node.dispatcher.policy.absorb(from, statement, s.node.dispatcher.clock())
	if err == nil {
		s.results.WithLabelValues(shareAbsorbed).Inc()
		return
	}
	s.results.WithLabelValues(shareRefused).Inc()
	if !s.told[from] && len(s.told) < mostTold {
		s.told[from] = true
		log.Warnw("what a peer says it has learned is refused; further such of it are not logged", "peer", from, "error", err)
	}
}

// sharing tells whether the policy in force shares what it learns.
func (b *policyBox) sharing() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.policy.(sched.Sharer)
	return ok && p.Sharing()
}

func (b *policyBox) share(now time.Duration) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.policy.(sched.Sharer)
	if !ok {
		return nil
	}
	return p.Share(now)
}

// absorb is for a policy that shares; one that came in its place meanwhile hears
// nothing.
func (b *policyBox) absorb(from peer.ID, statement []byte, now time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.policy.(sched.Sharer)
	if !ok {
		return nil
	}
	return p.Absorb(from, statement, now)
}
