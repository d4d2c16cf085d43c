package scale

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/hello"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/sched"
)

// extra is a member of the mesh that runs nothing.
type extra struct {
	host    *host.Host
	mesh    *mesh.Mesh
	control *control.Server
}

func newExtra(number int, bootstrap []peer.AddrInfo) (*extra, error) {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	e := new(extra)
	cfg := host.Default()
	cfg.Key, cfg.MDNS, cfg.Bootstrap = key, false, bootstrap
	cfg.Listen = []multiaddr.Multiaddr{multiaddr.StringCast("/ip4/127.0.0.1/tcp/0")}
	cfg.Hello = func() hello.Hello { r := e.mesh.Report(); return hello.Hello{Incarnation: 1, Report: &r} }
	if e.host, err = host.New(cfg); err != nil {
		return nil, err
	}
	e.mesh, err = mesh.New(mesh.Config{
		Host: e.host, Directory: e.host, Mesh: cfg.Mesh, Incarnation: 1,
		Self: func() sched.Load { return sched.Load{Servers: 2, Speed: 1} },
		Functions: func() []mesh.Function {
			return []mesh.Function{function("everywhere"), function(fmt.Sprint("only", number))}
		},
	})
	if err != nil {
		return nil, errors.Join(err, e.host.Close())
	}
	e.control = control.NewServer(e.host.Libp2p(), control.Handlers{Functions: e.mesh.Functions}, e.host.Access())
	return e, nil
}

func function(name string) mesh.Function {
	return mesh.Function{Name: name, Namespace: "openfaas-fn", Fingerprint: [8]byte{1}, Warm: true,
		Service: sched.Service{Mean: 50 * time.Millisecond, P10: 40 * time.Millisecond, Spread: 0.5}}
}

func (e *extra) start(ctx context.Context) error {
	e.control.Start()
	if err := e.mesh.Start(ctx); err != nil {
		return err
	}
	return e.host.Start(ctx)
}

func (e *extra) close() error {
	return errors.Join(e.mesh.Close(), e.control.Close(), e.host.Close())
}

func (e *extra) members() int { return e.mesh.Counts().Members }

// crowd is the extras of one process.
type crowd struct {
	first  int // number of the first
	extras []*extra
}

// pause is how long a new extra is given to know those before it: all at once
// would be a storm of handshakes that no mesh has to bear but this one.
const pause = time.Second

// grow adds one and lets it get to know the others, as far as that is quick.
func (c *crowd) grow(ctx context.Context, bootstrap []peer.AddrInfo) error {
	number := c.first + len(c.extras)
	e, err := newExtra(number, bootstrap)
	if err != nil {
		return err
	}
	c.extras = append(c.extras, e)
	if err := e.start(ctx); err != nil {
		return err
	}
	for end := time.Now().Add(pause); e.members() < enough(number) && time.Now().Before(end); {
		if err := sleep(ctx, pause/50); err != nil {
			return err
		}
	}
	return nil
}

// least is how many members that one knows which knows fewest.
func (c *crowd) least() int {
	least := -1
	for _, e := range c.extras {
		if n := e.members(); least < 0 || n < least {
			least = n
		}
	}
	return least
}

func (c *crowd) close() error {
	var errs []error
	for _, e := range c.extras {
		errs = append(errs, e.close())
	}
	return errors.Join(errs...)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
