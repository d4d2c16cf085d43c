package wasi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	logging "github.com/ipfs/go-log/v2"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
)

var log = logging.Logger("p2pfaas/wasi")

// Engine compiles modules. What it has compiled stays on disk, a folder per
// module, for the next start; in memory it is shared by all functions made of
// the same module while one of them is loaded.
type Engine struct {
	dir string
	// turn holds one token: compiling takes all processors anyway.
	turn chan struct{}

	mu     sync.Mutex // guards what follows
	shared map[string]*sharedCode
}

// sharedCode is the machine code of one module.
type sharedCode struct {
	cache wazero.CompilationCache
	users int
}

// NewEngine returns an Engine that keeps machine code below dir.
func NewEngine(dir string) *Engine {
	return &Engine{dir: dir, turn: make(chan struct{}, 1), shared: make(map[string]*sharedCode)}
}

// Forget removes the machine code on disk of every module whose digest keep
// returns false for.
func (e *Engine) Forget(keep func(digest string) bool) error {
	entries, err := os.ReadDir(e.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, entry := range entries {
		if !keep(entry.Name()) {
			errs = append(errs, os.RemoveAll(filepath.Join(e.dir, entry.Name())))
		}
	}
	return errors.Join(errs...)
}

// code is a module that is compiled, with the runtime that makes instances.
type code struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	release  func()
}

// close ends what the code's instances run, too.
func (c *code) close() {
	ctx := context.Background()
	_ = c.compiled.Close(ctx)
	_ = c.runtime.Close(ctx)
	c.release()
}

// compile waits for its turn.
func (e *Engine) compile(ctx context.Context, digest string, binary []byte, pages uint32) (*code, error) {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c, err := e.compileShared(ctx, digest, binary, pages)
	if !ofDisk(err) {
		return c, err
	}
	log.Warnw("machine code on disk is made anew", "module", digest, "error", err)
	err = os.RemoveAll(filepath.Join(e.dir, digest))
	if err == nil {
		c, err = e.compileShared(ctx, digest, binary, pages)
	}
	if !ofDisk(err) {
		return c, err
	}
	log.Warnw("machine code is not kept on disk", "module", digest, "error", err)
	cache := wazero.NewCompilationCache()
	return compile(ctx, cache, func() { _ = cache.Close(context.Background()) }, binary, pages)
}

// ofDisk tells whether a compilation failed for its file's sake: one that is
// damaged or cannot be written fails it in wazero, and is worth no more than the
// time to compile.
func ofDisk(err error) bool {
	var path *fs.PathError
	return err != nil && (strings.Contains(err.Error(), "compilationcache:") || errors.As(err, &path))
}

func (e *Engine) compileShared(ctx context.Context, digest string, binary []byte, pages uint32) (*code, error) {
	cache, err := e.enter(digest)
	if err != nil {
		return nil, fmt.Errorf("open cache of machine code: %w", err)
	}
	return compile(ctx, cache, func() { e.leave(digest) }, binary, pages)
}

func compile(ctx context.Context, cache wazero.CompilationCache, release func(), binary []byte, pages uint32) (*code, error) {
	c := &code{release: release}
	c.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithCompilationCache(cache).WithCloseOnContextDone(true).
		WithMemoryLimitPages(pages).WithDebugInfoEnabled(false))
	ctx = experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0))
	err := offer(ctx, c.runtime)
	if err == nil {
		if c.compiled, err = c.runtime.CompileModule(ctx, binary); err != nil {
			err = fmt.Errorf("%w: compile: %w", ErrModule, err)
		}
	}
	if err != nil {
		_ = c.runtime.Close(ctx)
		c.release()
		return nil, err
	}
	return c, nil
}

// enter counts a user of a module's machine code. It is called by who has the
// turn.
func (e *Engine) enter(digest string) (wazero.CompilationCache, error) {
	e.mu.Lock()
	s := e.shared[digest]
	if s != nil {
		s.users++
	}
	e.mu.Unlock()
	if s != nil {
		return s.cache, nil
	}
	cache, err := openCache(filepath.Join(e.dir, digest))
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shared[digest] = &sharedCode{cache: cache, users: 1}
	return cache, nil
}

func (e *Engine) leave(digest string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.shared[digest]
	if s.users--; s.users == 0 {
		delete(e.shared, digest)
		_ = s.cache.Close(context.Background())
	}
}

// openCache opens a folder in which wazero makes another one for its version
// and this machine. What other versions left there is removed.
func openCache(dir string) (wazero.CompilationCache, error) {
	before, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, err
	}
	after, err := os.ReadDir(dir)
	if err != nil || len(after) == len(before) {
		return cache, err
	}
	for _, old := range before {
		if err := os.RemoveAll(filepath.Join(dir, old.Name())); err != nil {
			return nil, err
		}
	}
	return cache, nil
}
