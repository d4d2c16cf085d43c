package node

import (
	"context"
	"errors"
	"slices"

	"github.com/p2pfaas/p2pfaas/node/learner"
	"github.com/p2pfaas/p2pfaas/sched"
)

// consultant is a decider elsewhere; *learner.Client is one.
type consultant interface {
	// Ask returns a zero Advice when there is no answer within the question's time.
	Ask(ctx context.Context, q *sched.Question) sched.Advice
	// Teach never waits.
	Teach(l *sched.Lesson)
}

// errNoLearner: the policy asks a learner, and there is none.
var errNoLearner = errors.New("it asks a learner elsewhere: name it with --learner URL, as http://127.0.0.1:19020")

// consult asks the decider elsewhere. Who takes the invocation back meanwhile is
// no reason to think ill of the decider: its answer is waited for all the same.
func (d *dispatcher) consult(ctx context.Context, inv *invocation) {
	inv.asked.Advice = sched.Advice{}
	if d.consultant != nil && inv.last.Question != nil {
		inv.asked.Advice = d.consultant.Ask(context.WithoutCancel(ctx), inv.last.Question)
	}
}

// teach passes on what a policy has its decider elsewhere learn, with the
// policy's lock held.
func (d *dispatcher) teach(p sched.Policy) {
	asker, ok := p.(sched.Asker)
	if !ok {
		return
	}
	for l, ok := asker.Lesson(); ok; l, ok = asker.Lesson() {
		if d.consultant != nil {
			d.consultant.Teach(&l)
		}
	}
}

// note keeps the step that a learner made of the invocation for who wants to
// know, with the policy's lock held.
func (inv *invocation) note(p sched.Policy, token uint64) {
	if inv.step == nil {
		return
	}
	if stepper, ok := p.(sched.Stepper); ok {
		if s, ok := stepper.Step(token); ok {
			*inv.step = s
			inv.step.State = slices.Clone(s.State)
		}
	}
}

// openLearner has questions answered by the learner that is configured, else by
// the one that this node serves, if there is one.
func (n *Node) openLearner(served learner.Learner) {
	if served != nil {
		n.served = learner.NewServer(served)
		n.recallServed()
		n.dispatcher.consultant = n.served
	}
	if n.cfg.Learner != "" {
		n.learner = learner.NewClient(learner.Config{URL: n.cfg.Learner, Socket: n.cfg.LearnerSocket})
		n.dispatcher.consultant = n.learner
		n.dispatcher.metrics.registry.MustRegister(n.learner)
	}
}

// canBeAsked tells what p lacks if it asks somebody.
func (n *Node) canBeAsked(p sched.Policy) error {
	if _, asks := p.(sched.Asker); asks && n.dispatcher.consultant == nil {
		return errNoLearner
	}
	return nil
}

func (n *Node) closeLearner() (err error) {
	if n.learner != nil {
		err = n.learner.Close()
	}
	if n.served != nil {
		err = errors.Join(err, n.served.Close())
	}
	return err
}
