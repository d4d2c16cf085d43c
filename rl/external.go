package rl

import (
	"fmt"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// external has a learner elsewhere decide, over P2PFaaS's learner API: the
// LearningScheduler of P2PFaaS. What it is asked is where an invocation goes that
// enters the mesh here; what came from a peer runs here.
//
// The state is [type, running..., waiting...], with one count for each of the task
// types. The actions are those of the form table: 0 refuses, 1 runs it here, 2 probes a
// peer and forwards to it if that has less to do, and 3 and up are peers. A peer keeps its
// number, whoever else comes or goes: see [seats].
//
// The default decides where the learner cannot: it does not answer in time, it
// answers nonsense, what it wants is not possible now, or there is too little time
// left to ask. After several failures in a row it is not asked for a while. A decision
// of the default's is no step: it has no reward, and leaves no gap in the count.
type external struct {
	types    int
	deadline time.Duration
	teacher  string

	ground   ground
	reward   reward
	tally    tally
	breaker  breaker
	seats    seats
	ledger   ledger[consulted]
	steps    uint64
	lessons  lessons
	epsilon  float64 // as the learner told it last
	question sched.Question
	own      sched.Request
	probe    [1]peer.ID
}

// consulted is what is remembered of a decision until its outcome.
type consulted struct {
	phase phase
	step  sched.Step // its State's memory is the entry's
}

// phase is how far a decision has come.
type phase uint8

const (
	phaseGround  phase = iota // the default made it
	phaseAsking               // the learner is being asked
	phaseProbing              // the learner wants a probe first
	phaseStep                 // the learner made it
)

// Values of the parameter rewards.
const (
	teacherNode    = "node"
	teacherClients = "clients"
)

func newExternal(s *sched.Settings) sched.Policy {
	p := &external{ground: newGround(s)}
	s.Int(&p.types, "types", 1, 1, 16, "task types whose running and waiting invocations are told apart")
	s.Duration(&p.deadline, "deadline", 20*time.Millisecond, time.Millisecond, 10*time.Second, "how long an answer of the learner is waited for")
	s.Choice(&p.teacher, "rewards", []string{teacherNode, teacherClients},
		"who tells the learner the rewards: this node, or its clients, by the headers of their answers")
	p.breaker.bind(s)
	p.seats.bind(s)
	p.reward.bind(s)
	return p
}

// Describe implements sched.Describer.
func (p *external) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "external: a learner elsewhere decides, within %v, else the default (types %d, rewards told by the %s)",
		p.deadline, p.types, p.teacher)
	for number, s := range p.seats.taken {
		if s.peer != "" {
			fmt.Fprintf(&b, ", %d is %s", actionPeers+number, s.peer)
		}
	}
	return b.String()
}

// Report implements sched.Notified.
func (p *external) Report(n sched.News) { p.ground.Report(n) }

// Decide implements sched.Policy.
func (p *external) Decide(v *sched.View, r *sched.Request) sched.Decision {
	if r.Round == 0 {
		return p.first(v, r)
	}
	e := p.ledger.close(r.Token)
	if e == nil {
		return p.fall(v, r)
	}
	switch e.phase {
	case phaseAsking:
		return p.advised(v, r, e)
	case phaseProbing:
		return p.book(lessLoaded(v, r), e.step, phaseStep)
	}
	return p.fall(v, r)
}

func (p *external) first(v *sched.View, r *sched.Request) sched.Decision {
	again := r.Token != 0
	if again {
		p.settle(p.ledger.close(r.Token), 0)
	}
	p.seats.look(v)
	switch {
	case r.Nested && v.Self.Deployed:
		return p.leave(sched.Decision{Action: sched.Run, Reason: sched.ReasonNested}, byNobody)
	case r.External() && v.Self.Deployed && (v.Self.Free || v.Self.Room):
		return p.leave(stay(v), byNobody)
	case again || r.External() || !p.hasTime(r) || !p.breaker.asks(v.Now):
		return p.fall(v, r)
	}
	return p.ask(v, r)
}

// hasTime tells whether waiting for an answer in vain would leave half of the
// time to the invocation itself.
func (p *external) hasTime(r *sched.Request) bool {
	return r.Deadline == 0 || r.Deadline >= 2*p.deadline
}

func (p *external) ask(v *sched.View, r *sched.Request) sched.Decision {
	p.describe(v, r)
	token, e := p.ledger.open()
	e.phase = phaseAsking
	e.step.State = append(e.step.State[:0], p.question.State...)
	return sched.Decision{Action: sched.Ask, Question: &p.question, Reason: sched.ReasonAsking, Token: token}
}

// describe makes the question.
func (p *external) describe(v *sched.View, r *sched.Request) {
	q := &p.question
	q.Within = p.deadline
	q.State = append(q.State[:0], r.TaskType)
	census, _ := v.Self.Line.(sched.Census)
	for kind := range p.types {
		running, _ := count(v, census, p.types, kind)
		q.State = append(q.State, float64(running))
	}
	for kind := range p.types {
		_, queued := count(v, census, p.types, kind)
		q.State = append(q.State, float64(queued))
	}
	q.Actions = append(q.Actions[:0], actionRefuse)
	if v.Self.Deployed {
		q.Actions = append(q.Actions, actionHere)
	}
	q.Actions = append(q.Actions, actionProbe)
	q.Actions = p.seats.actions(q.Actions, v, r)
	if last := len(q.Actions) - 1; q.Actions[last] == actionProbe {
		q.Actions = q.Actions[:last] // there is nobody
	}
}

// count is how many of a task type run and wait here. Where nobody tells them
// apart they are all of type 0.
func count(v *sched.View, census sched.Census, types, kind int) (running, queued int) {
	switch {
	case types > 1 && census != nil:
		return census.Count(float64(kind))
	case kind == 0:
		return v.Self.Load.Running, v.Self.Load.Queued
	}
	return 0, 0
}

// advised does what the learner has said, if that can be.
func (p *external) advised(v *sched.View, r *sched.Request, e *consulted) sched.Decision {
	a := &r.Advice
	known := a.OK && a.Action >= 0 && a.Action < actionPeers+p.seats.most
	p.breaker.told(v.Now, known)
	if !known {
		return p.fall(v, r)
	}
	d, ok := p.perform(v, r, a.Action)
	if !ok {
		return p.fall(v, r)
	}
	p.steps++
	step := e.step
	step.ID, step.Action, step.Epsilon = p.steps, a.Action, 0
	if a.Epsilon > 0 && a.Epsilon <= 1 {
		step.Epsilon = a.Epsilon
	}
	p.epsilon = step.Epsilon
	if d.Action == sched.Probe {
		return p.book(d, step, phaseProbing)
	}
	return p.book(d, step, phaseStep)
}

// perform is the decision for an action; false if it is not possible now.
func (p *external) perform(v *sched.View, r *sched.Request, action int) (d sched.Decision, ok bool) {
	d.Reason = sched.ReasonAdvised
	switch action {
	case actionRefuse:
		d.Action = sched.Refuse
		return d, true
	case actionHere:
		d = stay(v)
		if d.Action == sched.Run {
			d.Reason = sched.ReasonAdvised
		}
		return d, v.Self.Deployed
	case actionProbe:
		d.Action, d.Probes = sched.Probe, p.draw(v, r)
		return d, len(d.Probes) > 0
	}
	d.Action, d.Peer = sched.Forward, p.seats.peer(action)
	return d, mayTake(v, r, v.Neighbour(d.Peer))
}

// draw is one of the peers, each as likely.
func (p *external) draw(v *sched.View, r *sched.Request) []peer.ID {
	seen := 0
	for i := range v.Neighbours {
		n := &v.Neighbours[i]
		if !mayTake(v, r, n) {
			continue
		}
		if seen++; v.Rand.IntN(seen) == 0 {
			p.probe[0] = n.ID
		}
	}
	return p.probe[:min(seen, 1)]
}

// lessLoaded forwards to the peer that was probed, if it has less to do than
// this node, or this node cannot run it.
func lessLoaded(v *sched.View, r *sched.Request) sched.Decision {
	d := stay(v)
	for _, id := range r.Probed {
		n := v.Neighbour(id)
		if mayTake(v, r, n) && (d.Action == sched.Refuse || n.Queue() < v.Self.Load.Total()) {
			return sched.Decision{Action: sched.Forward, Peer: id, Reason: sched.ReasonLessLoaded}
		}
	}
	if d.Action == sched.Run {
		d.Reason = sched.ReasonNoneLess
	}
	return d
}

// mayTake tells whether the invocation may go to n, which may be nil.
func mayTake(v *sched.View, r *sched.Request, n *sched.Neighbour) bool {
	return n != nil && n.ID != v.Self.ID && !r.HasVisited(n.ID)
}

// book remembers a decision of the learner's.
func (p *external) book(d sched.Decision, step sched.Step, at phase) sched.Decision {
	token, e := p.ledger.open()
	state := append(e.step.State[:0], step.State...)
	e.phase, e.step = at, step
	e.step.State = state
	d.Token = token
	p.tally.decided(&d, byLearned)
	return d
}

// fall has the default decide.
func (p *external) fall(v *sched.View, r *sched.Request) sched.Decision {
	p.own = *r
	p.own.Round = 0 // for the default it is the first
	d := p.ground.Decide(v, &p.own)
	p.own = sched.Request{} // what it points to is not ours
	return p.leave(d, byDefault)
}

// leave marks a decision that the learner did not make, for its retry to be known as one.
func (p *external) leave(d sched.Decision, by decider) sched.Decision {
	token, e := p.ledger.open()
	e.phase, d.Token = phaseGround, token
	p.tally.decided(&d, by)
	return d
}

// Observe implements sched.Observer. What its caller took back has earned
// nothing, as with P2PFaaS's clients: a learner that wants rewards in order
// would otherwise wait for it.
func (p *external) Observe(o sched.Outcome) {
	e := p.ledger.close(o.Decision.Token)
	if e == nil || e.phase != phaseStep {
		return
	}
	reward := 0.0
	if o.Result != sched.Cancelled {
		reward = p.reward.of(&o, e.step.Action == actionProbe)
	}
	p.settle(e, reward)
}

// settle makes a lesson of a step.
func (p *external) settle(e *consulted, reward float64) {
	if e == nil || e.phase != phaseStep {
		return
	}
	p.tally.rewarded(reward)
	if p.teacher == teacherNode {
		p.lessons.add(&e.step, reward)
	}
}

// Lesson implements sched.Asker.
func (p *external) Lesson() (sched.Lesson, bool) { return p.lessons.next() }

// Learning implements sched.Learner. What was lost are lessons that nobody took.
func (p *external) Learning() sched.Learning {
	s := safety{falls: p.breaker.opened}
	if p.breaker.open() {
		s.state = sched.FallbackUnadvised
	}
	l := p.tally.learning(&s)
	l.Epsilon, l.Lost = p.epsilon, p.ledger.lost+p.lessons.lost
	return l
}
