// Package schedtest checks that a policy keeps the contract of [sched.Policy]
// and builds views for tests.
//
//	func TestConformance(t *testing.T) {
//		schedtest.Run(t, func(*testing.T) sched.Policy { return &nearest{} })
//	}
//
// The suite drives the policy as a node does, through random views and
// requests: it answers some of its probes, lets its waits pass, and tells it how each
// invocation ended. It finds out whether decisions are allowed, come to an
// end, can be repeated and leave the view alone; not whether they are any good.
// A policy with several settings is worth a Run for each.
//
// [View], [Self] and [Neighbour] build a moment of one's own choice: plain
// values with sound defaults, to be changed field by field.
package schedtest
