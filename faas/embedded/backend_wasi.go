package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// AnnotationDirs grants a WebAssembly function folders of this machine, read
// only: "HOST:GUEST:ro", several with commas between. They must lie below a folder
// of Config.WasmDirs.
const AnnotationDirs = "p2pfaas.wasi.dirs"

// sandboxed makes an instance of a module per request. Its replicas are
// counted; without any the module is not in memory.
type sandboxed struct {
	counter
	runner *wasi.Runner
}

func (s *sandboxed) invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	s.wake()
	return s.runner.Invoke(ctx, r)
}

func (s *sandboxed) scale(n int) {
	s.counter.scale(n)
	if n == 0 {
		s.runner.Unload()
	} else {
		s.runner.Preload()
	}
}

func (s *sandboxed) state() backendState {
	b, r := s.counter.state(), s.runner.State()
	if !r.Loaded {
		b.available = 0
	}
	b.coldStart = r.LoadTime
	if r.Failure != nil {
		b.failure = "module is not loaded: " + r.Failure.Error()
	}
	return b
}

func (s *sandboxed) close() { s.runner.Close() }

// buildModule makes what runs a module. One that is stored already (a restart's)
// is loaded in the background; another is loaded now, so that who deploys it is
// told what is wrong.
func (rt *Runtime) buildModule(d *deployment, t target, set *settings, stored string) error {
	cfg, err := rt.moduleConfig(d, set)
	if err != nil {
		return err
	}
	if err := rt.prepare(d); err != nil {
		return err
	}
	if d.module = stored; stored == "" {
		if d.module, err = rt.storeModule(t); err != nil {
			return err
		}
	}
	if d.secrets, err = rt.views.openHere(&d.function); err != nil {
		return err
	}
	if d.secrets != nil {
		cfg.Mounts = append(cfg.Mounts, wasi.Mount{Host: d.secrets.dir, Guest: secretsPath})
		cfg.Env = append(cfg.Env, secretsVariable+"="+secretsPath)
	}
	cfg.Digest, cfg.Log, cfg.Account = d.module, d.log, d.account
	cfg.Read = func() ([]byte, error) { return rt.modules.read(d.module) }
	runner, err := wasi.NewRunner(cfg)
	if err != nil {
		return err
	}
	if stored == "" {
		if err := runner.Load(rt.ctx); err != nil {
			runner.Close()
			return moduleError(d.function.Image, err)
		}
	}
	d.backend, d.note = &sandboxed{runner: runner}, moduleNote(&d.function)
	return nil
}

// compile compiles f's module, if it is one, and keeps the code until done is
// called. It takes seconds, for which no other change shall wait; building the
// deployment then finds the code.
func (rt *Runtime) compile(ctx context.Context, f *faas.Function, set *settings) (done func(), err error) {
	t, err := rt.cfg.resolve(f, "")
	if err != nil || t.kind != kindModule {
		return func() {}, err
	}
	read := func() ([]byte, error) { return readModule(t.path) }
	if t.digest != "" {
		read = func() ([]byte, error) { return rt.modules.read(t.digest) }
	}
	module, err := read()
	if err != nil {
		return nil, err
	}
	runner, err := wasi.NewRunner(wasi.Config{
		Engine: rt.engine, Digest: digestOf(module), MemoryLimit: set.limits.Memory,
		Read: func() ([]byte, error) { return module, nil },
	})
	if err != nil {
		return nil, err
	}
	if err := runner.Load(ctx); err != nil {
		runner.Close()
		return nil, moduleError(f.Image, err)
	}
	return runner.Close, nil
}

func moduleError(image string, err error) error {
	if errors.Is(err, wasi.ErrModule) {
		return fmt.Errorf("image %q: %w: %w", image, faas.ErrInvalid, err)
	}
	return fmt.Errorf("load module: %w", err)
}

// storeModule returns the digest of a module that is stored.
func (rt *Runtime) storeModule(t target) (string, error) {
	if t.digest == "" {
		return rt.modules.add(t.path)
	}
	_, err := rt.modules.read(t.digest)
	return t.digest, err
}

func (rt *Runtime) moduleConfig(d *deployment, set *settings) (cfg wasi.Config, err error) {
	cfg = wasi.Config{Engine: rt.engine, Name: d.function.Name.Function, MemoryLimit: set.limits.Memory, Released: d.over}
	if cfg.Env, err = ownEnvironment(&d.function); err != nil {
		return cfg, err
	}
	if cfg.Settings, err = watchdog.ReadSettings(d.function.EnvVars); err != nil {
		return cfg, err
	}
	cfg.Mounts, err = rt.cfg.mounts(d.function.Annotations[AnnotationDirs])
	return cfg, err
}

// moduleNote says what of f has no effect. That the root is read-only has: there
// is none.
func moduleNote(f *faas.Function) string {
	asked := *f
	asked.ReadOnlyRootFilesystem = false
	note := unenforced(&asked)
	if f.Limits != nil && f.Limits.CPU != "" {
		note = joinNotes(note, "limits not enforced: CPU "+f.Limits.CPU+" (it runs in the node's process)")
	}
	return note
}

// mounts reads AnnotationDirs.
func (c *Config) mounts(annotation string) ([]wasi.Mount, error) {
	var mounts []wasi.Mount
	for one := range strings.SplitSeq(annotation, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		m, err := c.mount(one)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, m)
	}
	return mounts, nil
}

func (c *Config) mount(one string) (wasi.Mount, error) {
	bad := func(format string, args ...any) (wasi.Mount, error) {
		return wasi.Mount{}, fmt.Errorf("annotation %s: %q: %w: %w", AnnotationDirs, one, faas.ErrInvalid, fmt.Errorf(format, args...))
	}
	parts := strings.Split(one, ":")
	if len(parts) != 3 || parts[2] != "ro" || !filepath.IsAbs(parts[0]) || !path.IsAbs(parts[1]) {
		return bad("want HOST:GUEST:ro with absolute paths; folders are granted for reading only")
	}
	real, err := filepath.EvalSymlinks(parts[0])
	if err != nil {
		return bad("%w", err)
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return bad("%s is not a folder", parts[0])
	}
	allowed := func(dir string) bool { return sameDir(dir, real) || below(dir, real) }
	if !slices.ContainsFunc(c.WasmDirs, allowed) {
		return bad("%s is not below a folder that this node allows (%s); allow one with --wasm-dir", real, strings.Join(c.WasmDirs, ", "))
	}
	return wasi.Mount{Host: real, Guest: path.Clean(parts[1])}, nil
}

func sameDir(dir, real string) bool {
	resolved, err := filepath.EvalSymlinks(dir)
	return err == nil && resolved == real
}
