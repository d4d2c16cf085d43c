package rl

import (
	"fmt"
	"math"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

// corrector is the default with its chances of being on time corrected by what
// was learned: the policies calibrated, residual and bandit. They differ in the
// estimator, and in how they choose.
type corrector struct {
	ground
	name, about string
	choose      chooser
	candidates  int
	guard       float64
	hopeless    float64

	explore Exploration
	safety  safety
	tally   tally
	fresh   func() estimator
	models  lru[string, model]
	sharing sharing
	ledger  ledger[decided]
	now     situation
	// homely is by how much more often what runs here is on time than reckoned.
	homely average
}

// decided is what is remembered of a decision until its outcome.
type decided struct {
	model *model
	by    decider
	// chosen is where it went; without a place the outcome teaches nothing.
	placed bool
	chosen place
}

// chooser decides among places.
type chooser func(c *corrector, v *sched.View, r *sched.Request, s *situation) sched.Decision

// situation is one decision as the corrector sees it. Its memory is reused from
// one decision to the next.
type situation struct {
	model *model
	size  float64
	// weighing is the default's, second that of another peer drawn.
	weighing, second sched.Weighing
	// here and there are the places that are weighed at present, other is that of
	// second.
	here, there, other place
}

func newCorrector(s *sched.Settings, name, about string, fresh func() estimator) *corrector {
	c := &corrector{ground: newGround(s), name: name, about: about, fresh: fresh}
	c.models = newLRU[string](mostFunctions, func() *model { return &model{estimator: c.fresh()} })
	s.Int(&c.candidates, "candidates", 2, 1, 16, "peers drawn at most, if what was learned speaks against the first")
	s.Float(&c.guard, "guard", 0.1, 0, 1, "by how much less likely on time than reckoned it must be here for a free server to be no reason to stay")
	s.Float(&c.hopeless, "hopeless", 0, 0, 1, "refuse what is less likely than this to be on time at either place; 0 never refuses")
	c.safety.bind(s, true)
	c.sharing.bind(s, c.fresh)
	return c
}

// Describe implements sched.Describer.
func (c *corrector) Describe() string {
	return fmt.Sprintf("%s: %s (holdout %v, warm-up %d, candidates %d); on the ground of %s",
		c.name, c.about, c.safety.holdout, c.safety.warmUp, c.candidates, c.ground.Describe())
}

// Decide implements sched.Policy.
func (c *corrector) Decide(v *sched.View, r *sched.Request) sched.Decision {
	if c.safety.look(v.Now) {
		c.explore.resume()
	}
	c.failed(r.Token)
	s := &c.now
	s.weighing = c.Weigh(v, r)
	d, by := s.weighing.Decision, byNobody
	if d.Reason == sched.ReasonNested {
		return d
	}
	s.model = c.model(r.Function)
	s.size = s.model.sizes.add(r.BodySize)
	s.here = here(v, &s.weighing, s.size)
	if c.opens(v, r, s) {
		s.there = there(v, &s.weighing, s.size)
		by = c.decider(v, s.model)
		s.model.decisions++
	}
	if by == byLearned {
		d = c.choose(c, v, r, s)
		c.tally.agree(&d, &s.weighing.Decision)
	}
	return c.book(d, by, s)
}

// opens tells whether there is something to decide: also with a free server, if
// services here have turned out slower than this node believes.
func (c *corrector) opens(v *sched.View, r *sched.Request, s *situation) bool {
	w := &s.weighing
	if w.Open || w.Decision.Reason != sched.ReasonFreeServer {
		return w.Open
	}
	return s.model.estimator.correction(&s.here) < -c.guard && c.Draw(v, r, w)
}

// decider draws who decides.
func (c *corrector) decider(v *sched.View, m *model) decider {
	switch {
	case c.safety.state != sched.Learned:
		return byDefault
	case !c.safety.fallback:
		return byLearned
	case m.decisions < c.safety.warmUp:
		return byDefault
	case v.Rand.Float64() < c.safety.holdout:
		return byHoldout
	}
	return byLearned
}

// book remembers the decision and marks it.
func (c *corrector) book(d sched.Decision, by decider, s *situation) sched.Decision {
	w := &s.weighing
	token, e := c.ledger.open()
	e.model, e.by = s.model, by
	switch {
	case d.Action == sched.Run && !math.IsInf(w.Here.Finish, 1):
		e.placed, e.chosen = true, s.here
	case d.Action == sched.Forward && w.Open:
		e.placed, e.chosen = true, s.there
	default:
		e.placed = false
	}
	d.Token = token
	c.tally.decided(&d, by)
	return d
}

// Observe implements sched.Observer.
func (c *corrector) Observe(o sched.Outcome) {
	e := c.ledger.close(o.Decision.Token)
	switch {
	case e == nil:
		return
	case o.Result == sched.Cancelled: // its caller's doing, and nobody's fault
		c.safety.heard(byNobody, false)
		return
	}
	c.safety.heard(e.by, o.OnTime)
	reward := 0.0
	if o.OnTime {
		reward = 1
	}
	c.tally.rewarded(reward)
	if e.placed {
		c.teach(e, reward)
	}
}

// failed has an attempt that came to nothing speak against where it went.
func (c *corrector) failed(token uint64) {
	if e := c.ledger.close(token); e != nil && e.placed {
		c.teach(e, 0)
	}
}

func (c *corrector) teach(e *decided, reward float64) {
	m := e.model
	err := m.estimator.learn(&e.chosen, reward)
	m.outcomes++
	if !e.chosen.remote {
		c.homely.add(m.estimator.correction(&e.chosen))
	}
	switch {
	case math.IsNaN(err) || math.IsInf(err, 0):
		c.forget(m)
	case m.change.add(err):
		m.estimator.revive()
		c.explore.revive(c.explore.Start / 2)
	}
}

// forget begins with a function anew.
func (c *corrector) forget(m *model) {
	*m = model{estimator: c.fresh()}
	c.safety.broken()
}

// Idle implements sched.Puller: a node whose services have turned out slower than
// it believes does not ask for more.
func (c *corrector) Idle(v *sched.View) (ask sched.Pull, again time.Duration, ok bool) {
	if c.safety.state == sched.Learned && c.homely.value() < -c.guard {
		return sched.Pull{}, 0, false
	}
	return c.ground.Idle(v)
}

// Learning implements sched.Learner.
func (c *corrector) Learning() sched.Learning {
	l := c.tally.learning(&c.safety)
	l.Epsilon, l.Lost, l.Functions = c.explore.Epsilon(), c.ledger.lost, len(c.models.entries)
	return l
}
