package openfaas

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	logging "github.com/ipfs/go-log/v2"
	"golang.org/x/sync/singleflight"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
)

var log = logging.Logger("p2pfaas/openfaas")

// Runtime is the [faas.Runtime] of a gateway's functions.
type Runtime struct {
	cfg     Config
	gateway *gateway
	calls   *httpcall.Client
	health  health
	table   *table
	asking  singleflight.Group // of one function's status

	reading sync.Mutex // one reading of all functions at a time; guards listing
	listing listing
	failing bool // the last look could not read the functions; the watcher's alone

	version atomic.Pointer[string]
	closed  atomic.Bool
	nudge   chan struct{} // the watcher shall look now
	life    context.Context
	end     context.CancelFunc
	watcher sync.WaitGroup
}

var _ faas.Runtime = (*Runtime)(nil)

// New returns a Runtime that Start makes watch its gateway.
func New(cfg Config) (*Runtime, error) {
	if cfg.Place.URL == nil || cfg.Interval <= 0 || cfg.Suspect <= 0 || cfg.CallTimeout <= 0 || cfg.HealthTimeout <= 0 {
		return nil, fmt.Errorf("OpenFaaS runtime: %w: start from openfaas.Default", faas.ErrInvalid)
	}
	rt := &Runtime{
		cfg: cfg, gateway: newGateway(cfg.Place, cfg.CallTimeout), calls: newCalls(cfg.Place),
		table: newTable(), nudge: make(chan struct{}, 1),
	}
	rt.version.Store(new(string))
	rt.life, rt.end = context.WithCancel(context.Background())
	return rt, nil
}

// Start looks at the gateway once, and then watches it until Close. It fails
// only if ctx, which bounds the first look, has ended.
func (rt *Runtime) Start(ctx context.Context) error {
	if rt.closed.Load() {
		return errClosed()
	}
	rt.look(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("start the OpenFaaS runtime: %w", context.Cause(ctx))
	}
	rt.table.takeUntold() // who starts it reads the list next
	rt.watcher.Go(rt.watch)
	return nil
}

func errClosed() error {
	return fmt.Errorf("OpenFaaS runtime is closed: %w", faas.ErrUnavailable)
}

// available is nil unless there is no use in asking the gateway.
func (rt *Runtime) available() error {
	if rt.closed.Load() {
		return errClosed()
	}
	return rt.health.check()
}

// Info implements [faas.Runtime].
func (rt *Runtime) Info(context.Context) (faas.Info, error) {
	if err := rt.available(); err != nil {
		return faas.Info{}, err
	}
	return faas.Info{Name: "openfaas", Version: *rt.version.Load()}, nil
}

// List implements [faas.Runtime]. In an outage it fails; what the gateway had
// is kept for afterwards.
func (rt *Runtime) List(ctx context.Context, namespace string) ([]faas.Status, error) {
	if err := rt.available(); err != nil {
		return nil, err
	}
	if !rt.table.isFresh(time.Now()) {
		if err := rt.refresh(ctx); err != nil {
			rt.doubt(err)
			return nil, fmt.Errorf("list functions: %w", err)
		}
	}
	return rt.table.list(namespace), nil
}

// Get implements [faas.Runtime]. A function that was not known before is from
// now on.
func (rt *Runtime) Get(ctx context.Context, name faas.Name) (faas.Status, error) {
	if err := errors.Join(rt.available(), name.Validate()); err != nil {
		return faas.Status{}, err
	}
	s, read, ok := rt.table.get(name)
	if ok && s.AvailableReplicas > 0 && time.Since(read) < fresh { // one without replicas may be starting
		return s, nil
	}
	return rt.ask(ctx, name)
}

// ask has the gateway tell of one function. Whoever asks meanwhile shares the
// answer.
func (rt *Runtime) ask(ctx context.Context, name faas.Name) (faas.Status, error) {
	answer := rt.asking.DoChan(name.Function+"."+name.Namespace, func() (any, error) {
		s, err := rt.gateway.status(rt.life, name, false) // for all who ask, so not in one's context
		switch {
		case err == nil:
			rt.table.put(s, time.Now())
		case errors.Is(err, faas.ErrNotFound):
			rt.vanished(name)
		default:
			rt.doubt(err)
		}
		return s, err
	})
	select {
	case a := <-answer:
		if a.Err != nil {
			return faas.Status{}, fmt.Errorf("function %s: %w", name, a.Err)
		}
		s, _, _ := rt.table.get(name)
		return s, nil
	case <-ctx.Done():
		return faas.Status{}, context.Cause(ctx)
	}
}

// vanished has the watcher look soon if the function was known.
func (rt *Runtime) vanished(name faas.Name) {
	if _, _, known := rt.table.get(name); known {
		rt.nudged()
	}
}

// Close ends the watcher and closes idle connections. Invocations under way end
// with their own contexts.
func (rt *Runtime) Close() error {
	rt.closed.Store(true)
	rt.end()
	rt.watcher.Wait()
	rt.gateway.close()
	return rt.calls.Close()
}
