//go:build !linux

package live

import (
	"errors"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

func newMachines(sim.Network) (places, error) {
	return nil, errors.New("network namespaces take Linux")
}
