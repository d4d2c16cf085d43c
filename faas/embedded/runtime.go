package embedded

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	logging "github.com/ipfs/go-log/v2"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/process"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
)

var log = logging.Logger("p2pfaas/embedded")

// Runtime is the embedded [faas.Runtime].
type Runtime struct {
	cfg     Config
	store   store
	ports   *process.Ports
	modules modules
	engine  *wasi.Engine

	secrets    secretStore
	views      *secretViews
	namespaces namespaceStore

	// change lets one change of deployments happen at a time, its disk writes
	// included. Invocations do not take it.
	change  sync.Mutex
	spawner *child.Spawner    // set by Start
	groups  *cgroup.Hierarchy // set by Start

	mu       sync.RWMutex // guards what follows; never held across I/O
	phase    phase
	byName   map[faas.Name]*deployment // what serves
	rollouts map[faas.Name]*rollout

	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	changed  chan struct{}  // asks tend to call Changed
	tending  sync.WaitGroup // tend
	rolling  sync.WaitGroup // rollouts under way
	retiring sync.WaitGroup // replaced and removed deployments that still end
	closing  sync.Once
	closed   error // of the closing
}

type phase uint8

const (
	phaseNew phase = iota
	phaseRunning
	phaseClosed
)

var (
	_ faas.Runtime = (*Runtime)(nil)
	_ faas.Meter   = (*Runtime)(nil)
)

// New returns a Runtime that Start makes run.
func New(cfg Config) (*Runtime, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	rt := &Runtime{
		cfg: cfg, store: store{filepath.Join(cfg.DataDir, "functions")}, ports: process.NewPorts(),
		modules: modules{filepath.Join(cfg.DataDir, "modules")}, engine: wasi.NewEngine(filepath.Join(cfg.DataDir, "cache", "wasm")),
		byName: make(map[faas.Name]*deployment), rollouts: make(map[faas.Name]*rollout), changed: make(chan struct{}, 1),
	}
	rt.secrets = secretStore{filepath.Join(cfg.DataDir, "secrets")}
	rt.views = newSecretViews(filepath.Join(cfg.DataDir, "run", "secrets"), rt.secrets)
	rt.namespaces = namespaceStore{filepath.Join(cfg.DataDir, "namespaces")}
	rt.ctx, rt.cancel = context.WithCancel(context.Background())
	return rt, nil
}

// Start ends what an earlier run left behind and restores the deployments;
// their processes are starting when it returns. ctx bounds starting only.
func (rt *Runtime) Start(ctx context.Context) error {
	rt.change.Lock()
	defer rt.change.Unlock()
	if rt.inPhase() != phaseNew {
		return errors.New("embedded runtime: was started already")
	}
	records, err := rt.store.load()
	if err != nil {
		return fmt.Errorf("start embedded runtime: %w", err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	spawner, err := child.Open(filepath.Join(rt.cfg.DataDir, "run"))
	if err != nil {
		return fmt.Errorf("start embedded runtime: %w", err)
	}
	if err := errors.Join(rt.secrets.open(), rt.views.start()); err != nil {
		return fmt.Errorf("start embedded runtime: %w", errors.Join(err, spawner.Close()))
	}
	rt.spawner, rt.groups = spawner, rt.openGroups()
	rt.sweepModules()
	rt.restore(records)
	rt.tending.Go(func() { rt.tend(rt.ctx) })
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.phase = phaseRunning
	return nil
}

// restore leaves out, and reports, what cannot run here any more: its file
// stays, so that it is back once its program is.
func (rt *Runtime) restore(records []record) {
	for _, r := range records {
		if err := rt.restoreOne(r); err != nil {
			log.Errorw("deployment is not restored", "function", r.Function.Name.String(), "error", err)
		}
	}
}

func (rt *Runtime) inPhase() phase {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	return rt.phase
}

// Info implements [faas.Runtime].
func (rt *Runtime) Info(context.Context) (faas.Info, error) {
	if rt.inPhase() != phaseRunning {
		return faas.Info{}, errNotRunning()
	}
	return faas.Info{Name: "embedded", Version: rt.cfg.Version}, nil
}

func errNotRunning() error {
	return fmt.Errorf("embedded runtime is not running: %w", faas.ErrUnavailable)
}

// List implements [faas.Runtime].
func (rt *Runtime) List(_ context.Context, namespace string) ([]faas.Status, error) {
	if rt.inPhase() != phaseRunning {
		return nil, errNotRunning()
	}
	list := []faas.Status{}
	for _, d := range rt.deployments() {
		if namespace == "" || d.function.Name.Namespace == namespace {
			list = append(list, rt.status(d))
		}
	}
	slices.SortFunc(list, func(a, b faas.Status) int {
		return strings.Compare(a.Name.String(), b.Name.String())
	})
	return list, nil
}

func (rt *Runtime) deployments() []*deployment {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	all := make([]*deployment, 0, len(rt.byName))
	for _, d := range rt.byName {
		all = append(all, d)
	}
	return all
}

// Get implements [faas.Runtime].
func (rt *Runtime) Get(_ context.Context, name faas.Name) (faas.Status, error) {
	d, err := rt.lookup(name)
	if err != nil {
		return faas.Status{}, err
	}
	return rt.status(d), nil
}

// status is that of what serves, told as of the function that was deployed last.
func (rt *Runtime) status(d *deployment) faas.Status {
	ro := rt.rolloutOf(d.function.Name)
	s := d.status()
	if ro != nil {
		ro.tell(&s)
	}
	return s
}

func (rt *Runtime) lookup(name faas.Name) (*deployment, error) {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	if rt.phase != phaseRunning {
		return nil, errNotRunning()
	}
	if d := rt.byName[name]; d != nil {
		return d, nil
	}
	return nil, fmt.Errorf("function %s: %w", name, faas.ErrNotFound)
}

// CPUTime implements [faas.Meter], for functions that run on this machine.
func (rt *Runtime) CPUTime(name faas.Name) (faas.CPUTime, bool) {
	d, err := rt.lookup(name)
	if err != nil || d.account == nil {
		return faas.CPUTime{}, false
	}
	return d.account.CPUTime(), true
}

// Invoke implements [faas.Runtime].
func (rt *Runtime) Invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	for counted := false; ; {
		d, err := rt.lookup(r.Name)
		if err != nil {
			return nil, fmt.Errorf("invoke: %w: %w", faas.ErrNotStarted, err)
		}
		if !d.enter() {
			continue // replaced or removed since the lookup, which precedes its refusal
		}
		if !counted {
			d.lineage.invocations.Add(1)
			counted = true
		}
		resp, err := d.backend.invoke(ctx, r)
		if !errors.Is(err, process.ErrReplaced) {
			return resp, err
		}
	}
}

// Close stores the counts, lets invocations under way finish for the grace
// period, and ends all processes. It is idempotent.
func (rt *Runtime) Close() error {
	rt.closing.Do(func() { rt.closed = rt.close() })
	return rt.closed
}

func (rt *Runtime) close() error {
	err := rt.refuseAll()
	rt.rolling.Wait()
	rt.tending.Wait()
	rt.retiring.Wait()
	if rt.spawner != nil {
		err = errors.Join(err, rt.spawner.Close(), rt.views.end(), rt.groups.Close())
	}
	return err
}

// refuseAll stores the counts and lets all deployments end.
func (rt *Runtime) refuseAll() error {
	rt.change.Lock()
	defer rt.change.Unlock()
	var errs []error
	all := rt.deployments()
	for _, d := range all {
		errs = append(errs, rt.save(d))
	}
	rt.cancel()
	rt.mu.Lock()
	rt.phase = phaseClosed
	rt.mu.Unlock()
	for _, d := range all {
		d.lineage.finish()
		rt.abandon(d.function.Name, d)
		rt.retire(d, nil)
	}
	return errors.Join(errs...)
}
