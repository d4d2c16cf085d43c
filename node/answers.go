package node

import (
	"context"
	"runtime"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	nodecontrol "github.com/p2pfaas/p2pfaas/node/control"
	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/sched"
)

// newAnswers are the handlers for what people ask of this node.
func (n *Node) newAnswers() *nodecontrol.Handlers {
	return nodecontrol.New(nodecontrol.Config{
		Self:      n.self,
		Records:   n.dispatcher.records,
		Ask:       control.NewClient(n.host.Libp2p()),
		Status:    n.status,
		Peers:     n.mesh.Peers,
		Functions: n.mesh.Functions,
		Operator: func(ctx context.Context, p peer.ID) bool {
			return n.host.Access().Allow(ctx, p, host.VerbAdmin, "") == nil
		},
	})
}

// status is how this node fares; the members are counted by who asks.
func (n *Node) status() control.Status {
	d := n.dispatcher
	l := d.report()
	return control.Status{
		Version: n.cfg.Version, Mesh: n.cfg.Mesh, Zone: n.cfg.Zone, Arch: runtime.GOARCH, Policy: d.policy.name(),
		Up: d.clock().Round(time.Millisecond), Load: busy(&l), Rate: l.Rate, Out: l.Out,
		MeshUtilisation: n.mesh.Utilisation(), Draining: d.slots.draining(), Functions: d.functions.names(),
	}
}

func busy(l *sched.Load) control.Busy {
	return control.Busy{Wait: l.Wait, Running: l.Running, Queued: l.Queued, Servers: l.Servers}
}
