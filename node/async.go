package node

import (
	"context"
	"io"
	"path/filepath"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/node/async"
	wire "github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/sched"
)

// openAsync opens the queue of asynchronous calls, which begins to work with
// startAsync, and lets other nodes ask for them.
func (n *Node) openAsync() (err error) {
	h := n.host.Libp2p()
	n.acquaintances = newAcquaintances(h.Peerstore())
	client := wire.NewClient(h)
	n.async, err = async.New(async.Config{
		Self: n.self, Dir: filepath.Join(n.cfg.DataDir, "async"),
		Invoker: n.dispatcher, Retry: n.asyncRetry, Room: n.asyncRoom,
		Mesh:   asyncMesh{Client: client, dialling: client.Dialling(), acquaintances: n.acquaintances},
		Copies: n.cfg.AsyncCopies, Keep: n.cfg.AsyncKeep, KeepDead: n.cfg.AsyncKeepDead,
		Disk: int64(n.cfg.AsyncDisk) << 20, Calls: n.cfg.AsyncCalls,
	})
	if err != nil {
		return err
	}
	n.asyncServer = wire.NewServer(h, n.async.Handlers(), n.host.Access())
	n.dispatcher.metrics.registry.MustRegister(n.async)
	return nil
}

func (n *Node) startAsync(ctx context.Context) error {
	n.unsubscribe = n.host.Subscribe(n.acquaintances.member)
	n.asyncServer.Start()
	return n.async.Start(ctx)
}

// asyncMesh is what the queue wants of other nodes. Who is asked by name is
// dialled, if need be: in a large mesh not everyone is connected.
type asyncMesh struct {
	*wire.Client
	dialling *wire.Client
	*acquaintances
}

func (m asyncMesh) Find(ctx context.Context, p peer.ID, id string, wantResult bool) (wire.Status, io.ReadCloser, error) {
	return m.dialling.Find(ctx, p, id, wantResult)
}

func (m asyncMesh) Cancel(ctx context.Context, p peer.ID, id string) (wire.Status, error) {
	return m.dialling.Cancel(ctx, p, id)
}

// asyncRetry is what a function's annotations say of trying again; those of a
// function that other nodes alone run are not known here.
func (n *Node) asyncRetry(function string) async.RetryPolicy {
	if fn := n.dispatcher.functions.get(function); fn != nil {
		return fn.asyncRetry
	}
	return async.DefaultRetry()
}

// asyncRoom tells whether an invocation of the function could start at once, here
// or at a neighbour.
func (n *Node) asyncRoom(function string) bool {
	d := n.dispatcher
	var print [8]byte
	if fn := d.functions.get(function); fn != nil {
		need := need{weight: fn.weighs(), service: fn.service.get()}
		var self sched.Self
		if d.slots.view(&self, &need); self.Free {
			return true
		}
		if fn.keepsHome || fn.runsOnly {
			return false
		}
		print = fn.print
	}
	for _, c := range d.mesh.Fill(nil, function, print) {
		if c.Load.Wait == 0 && c.Load.Total()+c.OwnSends < max(1, c.Load.Servers) {
			return true
		}
	}
	return false
}
