package node

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// policyBox holds the policy in force, and those that single invocations asked
// for by name. It serialises their calls, as package sched asks of a driver.
type policyBox struct {
	registry sched.Registry

	// What the policy in force is besides, for those who would otherwise wait for mu.
	observer, puller, notified atomic.Bool

	mu     sync.Mutex // guards what follows
	policy sched.Policy
	label  string
	named  map[string]sched.Policy // of the registry, with their defaults
	rand   *rand.Rand
	view   sched.View // reused; its Neighbours keep their memory
}

// newPolicyBox has no policy in force yet.
func newPolicyBox(registry sched.Registry) *policyBox {
	return &policyBox{
		registry: registry, named: make(map[string]sched.Policy),
		rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
}

func (b *policyBox) name() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.label
}

// use puts another policy in force. Invocations that are being decided on go
// on with it.
func (b *policyBox) use(label string, p sched.Policy) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.label, b.policy = label, p
	_, observer := p.(sched.Observer)
	_, puller := p.(sched.Puller)
	_, notified := p.(sched.Notified)
	b.observer.Store(observer)
	b.puller.Store(puller)
	b.notified.Store(notified)
}

// of is the policy of that name, the one in force for "", with mu held. Only
// names that know has passed are asked for.
func (b *policyBox) of(name string) sched.Policy {
	if p := b.named[name]; p != nil {
		return p
	}
	return b.policy
}

// know makes the policy of that name ready to be asked.
func (b *policyBox) know(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if name == "" || b.named[name] != nil {
		return nil
	}
	p, err := b.registry.New(name, nil)
	if err != nil {
		return &invoke.Error{Code: invoke.CodeBadRequest, Text: fmt.Sprintf("header %s: %v", headerPolicy, err)}
	}
	b.named[name] = p
	return nil
}

// served tells a policy that pulls of an invocation that this node has run.
func (b *policyBox) served(now time.Duration) {
	if !b.pulls() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.policy.(sched.Puller); ok {
		p.Served(now)
	}
}

// report tells the policy of a load that has become known.
func (b *policyBox) report(n sched.News) {
	if !b.notified.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.policy.(sched.Notified); ok {
		p.Report(n)
	}
}

// describe is what the policy in force says of itself.
func (b *policyBox) describe() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d, ok := b.policy.(sched.Describer); ok {
		return d.Describe()
	}
	return b.label
}

// tell has the policy that decided on the invocation know how it ended.
func (d *dispatcher) tell(inv *invocation, result sched.Result) {
	if inv.policy == "" && !d.policy.observer.Load() {
		return
	}
	d.policy.mu.Lock()
	defer d.policy.mu.Unlock()
	p := d.policy.of(inv.policy)
	observer, ok := p.(sched.Observer)
	if !ok {
		return
	}
	observer.Observe(sched.Outcome{
		Request: inv.asked, Decision: inv.last, Result: result,
		OnTime:   result == sched.Answered && (inv.deadline == 0 || inv.at <= inv.deadline),
		Response: inv.at - inv.received, Queue: inv.hop.Queue, Service: inv.hop.Service,
	})
	d.teach(p)
}
