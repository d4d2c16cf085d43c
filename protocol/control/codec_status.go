package control

import "github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"

func (s *Status) proto() *controlpb.StatusReply {
	return &controlpb.StatusReply{
		Version: tellable(s.Version), Mesh: s.Mesh, Zone: s.Zone, Arch: s.Arch, Policy: tellable(s.Policy),
		UpUs: micros(s.Up), Load: s.Load.proto(), Rate: s.Rate, Out: s.Out, MeshUtilisation: s.MeshUtilisation,
		Neighbours: uint32(s.Neighbours), Members: uint32(s.Members), Draining: s.Draining, Functions: s.Functions,
	}
}

// parseStatus checks and converts a peer's answer. Errors wrap ErrBadReply.
func parseStatus(m *controlpb.StatusReply) (Status, error) {
	var d decoder
	s := Status{
		Version: d.label(m.GetVersion()), Mesh: d.label(m.GetMesh()), Zone: d.label(m.GetZone()), Arch: d.label(m.GetArch()),
		Policy: d.label(m.GetPolicy()), Up: longDuration(m.GetUpUs()), Load: d.busy(m.GetLoad()),
		Rate: max(0, finite(m.GetRate())), Out: max(0, finite(m.GetOut())), MeshUtilisation: share(m.GetMeshUtilisation()),
		Neighbours: count(m.GetNeighbours()), Members: count(m.GetMembers()), Draining: m.GetDraining(),
		Functions: []string{},
	}
	if d.atMost("functions", len(m.GetFunctions()), MaxFunctions) {
		for _, f := range m.GetFunctions() {
			s.Functions = append(s.Functions, d.label(f))
		}
	}
	return s, d.err
}
