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

// loading is one load, for all who wait for it.
type loading struct {
	done chan struct{}
	err  error // set before done is closed
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

// Load makes the module ready to run, and returns when it is. An error that
// wraps [ErrModule] is the module's fault.
func (r *Runner) Load(ctx context.Context) error {
	_, err := r.acquire(ctx)
	if err == nil {
		r.drop()
	}
	return err
}

// Preload begins to make the module ready, if it is not.
func (r *Runner) Preload() {
	if code, _ := r.use(); code != nil {
		r.drop()
	}
}

// Unload frees what the module takes of memory once no invocation uses it. The
// next one loads it again.
func (r *Runner) Unload() {
	r.mu.Lock()
	r.idle = true
	unused := r.takeUnused()
	r.mu.Unlock()
	unused.closeIfAny()
}

// State is what a Runner has done so far.
type State struct {
	Loaded bool
	// LoadTime is how long the last load took, 0 before the first.
	LoadTime time.Duration
	// Failure is why the last load failed, nil if it did not.
	Failure error
}

// State tells whether the module is ready.
func (r *Runner) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return State{Loaded: r.loaded != nil, LoadTime: r.took, Failure: r.failure}
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

// acquire returns the loaded module, to be dropped after use.
func (r *Runner) acquire(ctx context.Context) (*code, error) {
	for {
		code, l := r.use()
		if code != nil {
			return code, nil
		}
		select {
		case <-l.done:
			if l.err != nil {
				return nil, l.err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// use returns the loaded module, or the load to wait for.
func (r *Runner) use() (*code, *loading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = false
	if r.loaded != nil {
		r.users++
		return r.loaded, nil
	}
	if r.loading != nil {
		return nil, r.loading
	}
	l := &loading{done: make(chan struct{})}
	if r.closed {
		l.err = watchdog.ErrRemoved
		close(l.done)
		return nil, l
	}
	r.loading = l
	r.guests.Go(func() { r.load(l) })
	return nil, l
}

// load ends with the compilation.
func (r *Runner) load(l *loading) {
	begun := time.Now()
	code, err := r.compile()
	r.mu.Lock()
	r.loading, r.failure = nil, err
	if err == nil {
		r.loaded, r.took = code, time.Since(begun)
	}
	unused := r.takeUnused()
	r.mu.Unlock()
	unused.closeIfAny()
	l.err = err
	close(l.done)
}

func (r *Runner) compile() (*code, error) {
	module, err := r.cfg.Read()
	if err != nil {
		return nil, err
	}
	prepared, err := prepare(module, r.pages)
	if err != nil {
		return nil, err
	}
	code, err := r.cfg.Engine.compile(r.ctx, r.cfg.Digest, prepared, r.pages)
	if err != nil {
		return nil, err
	}
	if err := code.check(r.ctx); err != nil {
		code.close()
		return nil, err
	}
	return code, nil
}

// drop ends a use of the loaded module.
func (r *Runner) drop() {
	r.mu.Lock()
	r.users--
	unused := r.takeUnused()
	r.mu.Unlock()
	unused.closeIfAny()
}

// takeUnused returns the module if it is to be unloaded now. mu is held.
func (r *Runner) takeUnused() *code {
	if r.users > 0 || !r.idle && !r.closed {
		return nil
	}
	unused := r.loaded
	r.loaded = nil
	return unused
}

func (c *code) closeIfAny() {
	if c != nil {
		c.close()
	}
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
