package node

import (
	"slices"

	"github.com/p2pfaas/p2pfaas/node/mesh"
)

// Values of Config.Preset.
const (
	PresetAuto     = "auto"
	PresetSmall    = "small"
	PresetStandard = "standard"
)

// preset is how much a node takes of a machine of some kind, where nothing else
// was configured. All are bounds: none is taken in advance.
type preset struct {
	name       string
	small      bool  // of the host: stream windows, connections, streams of a peer
	neighbours int   // in view
	degree     int   // of the neighbours, those that pass reports on to this node
	streams    int   // kept to each peer
	maxOpen    int   // invocations that stream
	replay     int64 // bytes that all request bodies together keep
	calls      int   // remembered
}

func presets() []preset {
	return []preset{
		{name: PresetSmall, small: true, neighbours: mesh.SmallMax, degree: 3, streams: 24, maxOpen: 256, replay: 8 << 20, calls: keptCallsSmall},
		{name: PresetStandard, neighbours: mesh.DefaultMax, degree: 4, streams: 64, maxOpen: 1024, replay: 32 << 20, calls: keptCalls},
	}
}

// A machine is small with less memory than this, or with one core and less than
// twice as much: the boards with 512 MB and 1 GB, and little containers.
const smallMemory = 1 << 30

// presetFor is the preset of that name, or the one that suits a machine.
func presetFor(name string, m room) preset {
	if name == PresetAuto || name == "" {
		name = PresetStandard
		if m.memory < smallMemory || m.cores == 1 && m.memory < 2*smallMemory {
			name = PresetSmall
		}
	}
	all := presets()
	return all[slices.IndexFunc(all, func(p preset) bool { return p.name == name })]
}
