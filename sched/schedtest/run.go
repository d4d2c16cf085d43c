package schedtest

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/sched"
)

// Option changes what Run tries.
type Option func(*limits)

// MaxNeighbours bounds the neighbours in view; the default is 12.
func MaxNeighbours(n int) Option { return func(l *limits) { l.neighbours = n } }

// MaxInvocations bounds the invocations that one policy decides on; the
// default is 4. More is for policies that learn.
func MaxInvocations(n int) Option { return func(l *limits) { l.invocations = n } }

type limits struct{ neighbours, invocations int }

// Run checks the policy that factory makes against the contract, on random
// views and requests. Every call of factory must make a new policy with the same
// settings and the same knowledge: two of them must decide alike.
func Run(t *testing.T, factory func(t *testing.T) sched.Policy, opts ...Option) {
	t.Helper()
	l := limits{neighbours: 12, invocations: 4}
	for _, o := range opts {
		o(&l)
	}
	scripts := scriptOf(l)
	rapid.Check(t, func(rt *rapid.T) {
		if err := check(func() sched.Policy { return factory(t) }, scripts.Draw(rt, "script")); err != nil {
			rt.Fatal(err)
		}
	})
}
