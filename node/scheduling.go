package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/p2pfaas/p2pfaas/sched"
)

// Scheduling is what can be changed of a node's deciding while it works.
type Scheduling struct {
	// Policy and Set are as in [Config].
	Policy string            `json:"policy"`
	Set    map[string]string `json:"set,omitempty"`
	// Servers and Queue are as in [Config]: 0 is one for each core, -1 is as many as
	// can start in time.
	Servers int `json:"servers"`
	Queue   int `json:"queue"`
	// Order is who of the waiting is served first: fifo, deadline or
	// moore-hodgson; "" is as the policy wants it.
	Order string `json:"order,omitempty"`
}

func (s Scheduling) equal(o Scheduling) bool {
	return s.Policy == o.Policy && s.Servers == o.Servers && s.Queue == o.Queue && s.Order == o.Order && maps.Equal(s.Set, o.Set)
}

// scheduling is what is in force, and is kept in a file.
type scheduling struct {
	mu    sync.Mutex // one change at a time, its disk write included
	now   Scheduling
	saved bool // it is not what was configured
}

// savedScheduling is the file. What was changed at run time holds until
// somebody configures something else: who speaks last is heard.
type savedScheduling struct {
	Configured Scheduling `json:"configured"`
	InForce    Scheduling `json:"in_force"`
}

func (n *Node) schedulingFile() string { return filepath.Join(n.cfg.DataDir, "scheduling.json") }

func (n *Node) configuredScheduling() Scheduling {
	return Scheduling{Policy: n.cfg.Policy, Set: n.cfg.PolicySet, Servers: n.cfg.Servers, Queue: n.cfg.Queue, Order: n.cfg.Order}
}

// restoreScheduling puts in force what was set at run time before, or else what
// is configured.
func (n *Node) restoreScheduling() error {
	if saved, ok := n.savedScheduling(); ok {
		err := n.apply(saved)
		if err == nil {
			n.scheduling.now, n.scheduling.saved = saved, true
			log.Infow("the policy is the one set at run time", "policy", saved.Policy, "configured", n.cfg.Policy)
			return nil
		}
		log.Warnw("the policy set at run time cannot be had; the configured one is used", "error", err)
	}
	n.scheduling.now = n.configuredScheduling()
	return n.apply(n.scheduling.now)
}

// savedScheduling reads what was set at run time, if that still holds.
func (n *Node) savedScheduling() (s Scheduling, ok bool) {
	text, err := os.ReadFile(n.schedulingFile())
	if errors.Is(err, fs.ErrNotExist) {
		return s, false
	}
	var file savedScheduling
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		log.Warnw("the policy set at run time cannot be read; the configured one is used", "file", n.schedulingFile(), "error", err)
		return s, false
	}
	if !file.Configured.equal(n.configuredScheduling()) {
		log.Infow("the policy set at run time gives way to a new configuration", "was", file.InForce.Policy, "is", n.cfg.Policy)
		return s, false
	}
	return file.InForce, true
}

// apply puts s in force, or says what is wrong with it and changes nothing.
func (n *Node) apply(s Scheduling) error {
	p, err := n.policies.New(s.Policy, s.Set)
	if err != nil {
		return err
	}
	if err := n.canBeAsked(p); err != nil {
		return fmt.Errorf("policy %q: %w", s.Policy, err)
	}
	queue, servers, err := s.capacity(p)
	if err != nil {
		return err
	}
	if n.dispatcher.policy.name() != s.Policy || !maps.Equal(n.scheduling.now.Set, s.Set) { // else it stays, with all that it knows
		n.remember()
		n.model = nil
		n.recall(s.Policy, p)
		n.dispatcher.policy.use(s.Policy, p)
	}
	n.dispatcher.slots.resize(servers, queue) // last: it wakes an idle node, which asks the policy
	return nil
}

// capacity is what s means for the servers and the queue under policy p.
func (s Scheduling) capacity(p sched.Policy) (sched.QueueConfig, int, error) {
	var q sched.QueueConfig
	if s.Servers < 0 || s.Servers > maxServers {
		return q, 0, fmt.Errorf("servers %d: want 1 to %d, or 0 for one a core", s.Servers, maxServers)
	}
	if s.Queue < -1 {
		return q, 0, fmt.Errorf("queue %d: want 0 or more places, or -1 for as many as can start in time", s.Queue)
	}
	if s.Queue >= 0 {
		q = sched.QueueConfig{MaxCount: s.Queue, Exact: true}
	}
	if o, ok := p.(sched.Orderer); ok {
		q.Order = o.Order()
	}
	if s.Order != "" {
		order, err := sched.ParseOrder(s.Order)
		if err != nil {
			return q, 0, fmt.Errorf("order: %w", err)
		}
		q.Order = order
	}
	servers := s.Servers
	if servers == 0 {
		servers = runtime.NumCPU()
	}
	return q, servers, nil
}

// Scheduling tells how this node decides now.
func (n *Node) Scheduling() Scheduling {
	n.scheduling.mu.Lock()
	defer n.scheduling.mu.Unlock()
	return n.scheduling.now
}

// SetScheduling changes how this node decides, from the next decision on, and
// keeps it for later starts until something else is configured. Invocations that
// run or wait stay; of a shorter queue those that are too many leave one by one.
func (n *Node) SetScheduling(s Scheduling) error {
	n.scheduling.mu.Lock()
	defer n.scheduling.mu.Unlock()
	if err := n.apply(s); err != nil {
		return err
	}
	n.scheduling.now = s
	log.Infow("policy changed", "policy", s.Policy, "set", s.Set, "servers", s.Servers, "queue", s.Queue, "order", s.Order)
	n.scheduling.saved = !s.equal(n.configuredScheduling())
	if err := n.keepScheduling(); err != nil {
		return fmt.Errorf("%w: %w", errNotKept, err)
	}
	return nil
}

// errNotKept: the change is in force all the same.
var errNotKept = errors.New("the change holds until the next start only")

func (n *Node) keepScheduling() error {
	if !n.scheduling.saved {
		if err := os.Remove(n.schedulingFile()); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := json.MarshalIndent(savedScheduling{n.configuredScheduling(), n.scheduling.now}, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(n.schedulingFile(), text)
}
