package schedtest_test

import (
	"testing"

	"github.com/p2pfaas/p2pfaas/sched"
	"github.com/p2pfaas/p2pfaas/sched/schedtest"
)

func TestNearest(t *testing.T) {
	schedtest.Run(t, func(*testing.T) sched.Policy { return nearest{} })
}

// counter sees how much Run tries.
type counter struct {
	nearest
	neighbours, decided *int
	most                *int
}

func (c *counter) Decide(v *sched.View, r *sched.Request) sched.Decision {
	*c.neighbours = max(*c.neighbours, len(v.Neighbours))
	*c.decided++
	*c.most = max(*c.most, *c.decided)
	return c.nearest.Decide(v, r)
}

func TestOptions(t *testing.T) {
	var neighbours, most int
	schedtest.Run(t, func(*testing.T) sched.Policy {
		return &counter{neighbours: &neighbours, most: &most, decided: new(int)}
	}, schedtest.MaxNeighbours(40), schedtest.MaxInvocations(9))
	if neighbours <= 12 || neighbours > 40 || most <= 4 || most > 9 {
		t.Errorf("at most %d neighbours and %d invocations, want some above the defaults, up to 40 and 9", neighbours, most)
	}
}
