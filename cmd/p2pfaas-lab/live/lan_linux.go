package live

import (
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest/lan"
	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// machines are on a network with the scenario's delays.
type machines struct {
	*lan.Network
	delays sim.Network
	zones  []string // of the machines, in their order
}

func newMachines(delays sim.Network) (places, error) {
	n, err := lan.Open()
	if err != nil {
		return nil, err
	}
	return &machines{Network: n, delays: delays}, nil
}

func (m *machines) add(zone string) (place, error) {
	machine, err := m.Network.Machine()
	if err != nil {
		return nil, err
	}
	m.zones = append(m.zones, zone)
	return machine, nil
}

// join sets the delays.
func (m *machines) join() {
	all := m.Network.Machines()
	for i := range all {
		for j := range i {
			m.Network.Delay(all[i], all[j], m.between(i, j))
		}
	}
}

func (m *machines) between(i, j int) time.Duration {
	if m.delays.ZoneDelay > 0 && m.zones[i] != m.zones[j] {
		return m.delays.ZoneDelay
	}
	return m.delays.Delay
}
