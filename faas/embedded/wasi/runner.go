package wasi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// Config is what a Runner runs, and how.
type Config struct {
	Engine *Engine
	// Digest names the module, Read returns it.
	Digest string
	Read   func() ([]byte, error)
	// Name is the module's argument 0.
	Name string
	// Env holds NAME=value; the request's variables are added.
	Env []string
	// MemoryLimit of one instance in bytes, rounded up to 64 KiB; 0: [DefaultMemory].
	MemoryLimit int64
	Settings    watchdog.Settings
	Mounts      []Mount
	Log         *child.Log
	// Account is charged for what invocations take of the processors. May be nil.
	Account *child.Account
	// Released is called for every call of Invoke, when it fails or else when
	// its answer was closed. Nil: nothing is.
	Released func()
}

// Runner runs one function.
type Runner struct {
	cfg    Config
	pages  uint32
	base   wazero.ModuleConfig
	mounts mounted
	memory memories

	ctx    context.Context // of loading; ended by Close
	cancel context.CancelCauseFunc
	guests sync.WaitGroup // invocations and loads under way

	mu      sync.Mutex // guards what follows; never held while compiling
	closed  bool
	idle    bool // unload what is loaded once nobody uses it
	loaded  *code
	users   int      // of loaded
	loading *loading // nil: nobody loads
	took    time.Duration
	calls   map[*call]struct{}
	count   uint64 // of the calls so far
	failure error  // of the last load
}

// NewRunner returns a Runner that has loaded nothing yet. It opens the mounted
// folders.
func NewRunner(cfg Config) (*Runner, error) {
	if cfg.MemoryLimit == 0 {
		cfg.MemoryLimit = DefaultMemory
	}
	mounts, err := openMounts(cfg.Mounts)
	if err != nil {
		return nil, err
	}
	r := &Runner{
		cfg: cfg, mounts: mounts, calls: make(map[*call]struct{}),
		pages: uint32(min((cfg.MemoryLimit+pageSize-1)/pageSize, maxPages)),
	}
	r.ctx, r.cancel = context.WithCancelCause(context.Background())
	r.base = wazero.NewModuleConfig().WithName("").WithArgs(cfg.Name).
		WithSysWalltime().WithSysNanotime().WithRandSource(rand.Reader).WithOsyield(runtime.Gosched).
		WithFSConfig(mounts.config())
	return r, nil
}

// Invoke runs the module for req, loading it first if need be.
func (r *Runner) Invoke(ctx context.Context, req *faas.Request) (*faas.Response, error) {
	resp, err := r.invoke(ctx, req)
	if err != nil {
		r.released()
	}
	return resp, err
}

func (r *Runner) released() {
	if r.cfg.Released != nil {
		r.cfg.Released()
	}
}

func (r *Runner) invoke(ctx context.Context, req *faas.Request) (*faas.Response, error) {
	c, err := r.begin(ctx, req)
	if errors.Is(err, errTooMany) {
		return watchdog.TooMany(r.cfg.Settings.MaxInflight, r.released), nil
	}
	if err != nil {
		return nil, fmt.Errorf("call function: %w: %w", faas.ErrNotStarted, err)
	}
	resp, err := c.answer()
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	c.release = r.released
	return resp, nil
}

// begin starts an instance for req.
func (r *Runner) begin(ctx context.Context, req *faas.Request) (*call, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	env := r.cfg.Env
	if r.cfg.Settings.CGIHeaders {
		told, err := watchdog.Environ(req)
		if err != nil {
			return nil, err
		}
		env = append(slices.Clip(env), told...)
	}
	code, err := r.acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("load module: %w", err)
	}
	c := newCall(ctx, r, req, env)
	if err := r.join(c); err != nil {
		r.drop()
		c.unbind()
		return nil, err
	}
	go c.run(code)
	return c, nil
}

var errTooMany = errors.New("as many invocations as max_inflight allows")

// join makes a call known to Close, unless that was called or there are too many.
func (r *Runner) join(c *call) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return watchdog.ErrRemoved
	}
	if most := r.cfg.Settings.MaxInflight; most > 0 && len(r.calls) >= most {
		return errTooMany
	}
	r.count++
	c.name = strconv.FormatUint(r.count, 10)
	r.guests.Add(1)
	r.calls[c] = struct{}{}
	r.cfg.Account.Begin(&c.watch)
	return nil
}

func (r *Runner) leave(c *call) {
	r.cfg.Account.End(&c.watch)
	r.mu.Lock()
	delete(r.calls, c)
	r.mu.Unlock()
	r.drop()
	r.guests.Done()
}

// Close ends the invocations under way and waits until no more of the module
// runs. It does not wait for who reads their answers.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	for c := range r.calls {
		c.stop(watchdog.ErrRemoved)
	}
	unused := r.takeUnused()
	r.mu.Unlock()
	r.cancel(watchdog.ErrRemoved)
	r.guests.Wait()
	unused.closeIfAny()
	r.mounts.close()
}
