package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

// Config says where functions live and what they may be.
type Config struct {
	// DataDir holds functions/ (deployments), modules/ (WebAssembly modules),
	// cache/ (their machine code), secrets/, namespaces/, logs/ and run/ (the ledger
	// of child processes, and what secrets they may read). It must be an absolute path.
	DataDir string
	// Exe is the program that serves builtin functions, started as
	// Exe BuiltinArgs... NAME with PORT in its environment. Default: this one.
	Exe string
	// BuiltinArgs stand before the builtin's name. Default: "builtin".
	BuiltinArgs []string
	// ExecPath are the folders below which every command must lie once symbolic
	// links are resolved. A command without a slash is looked for in them, in
	// this order. Default: DataDir/bin, /bin, /usr/bin, /usr/local/bin.
	ExecPath []string
	// WasmDirs are the folders below which WebAssembly functions may be granted
	// folders to read; see AnnotationDirs. Default: none.
	WasmDirs []string
	// Aliases lead from an image to what it stands for here.
	Aliases map[string]string
	// Grace is how long a removed function may finish, and then how long its
	// processes have between SIGTERM and SIGKILL. Default 10 s.
	Grace time.Duration
	// Drain is how long a replaced version, or a replica that is scaled away, may
	// finish its calls. Default 10 min.
	Drain time.Duration
	// ReadyTimeout is how long a process may take until it is ready, and a new
	// version until it takes the place of the earlier one. Default 30 s.
	ReadyTimeout time.Duration
	// ScaleEvery is how often the load of functions that scale is looked at.
	// Default 1 s.
	ScaleEvery time.Duration
	// SaveEvery is how often counts of invocations are stored. Default 1 min.
	SaveEvery time.Duration
	// Changed is called after what List says of functions has changed without a
	// call of this Runtime's methods: another version serves, a function is ready
	// or is not. It may call this Runtime, except Close. Nil: nobody is told.
	Changed func(context.Context) error
	// MinBackoff and MaxBackoff bound the pause before a process that ended is
	// started again; it doubles each time. Default 100 ms and 30 s.
	MinBackoff, MaxBackoff time.Duration
	// LogLimit is how many bytes of a function's output are kept on disk.
	// Default 1 MiB.
	LogLimit int64
	// MaxReplicas bounds the processes of one function. Default 64.
	MaxReplicas int
	// RunAs is whom functions run as when the node is root; nil leaves them
	// root. Default: nobody, 65534.
	RunAs *child.User
	// Version is what Info says of this runtime.
	Version string
}

// Default is the Config for a data folder.
func Default(dataDir string) Config {
	exe, _ := os.Executable() // Validate refuses an empty one
	return Config{
		DataDir:      dataDir,
		Exe:          exe,
		BuiltinArgs:  []string{"builtin"},
		ExecPath:     []string{filepath.Join(dataDir, "bin"), "/bin", "/usr/bin", "/usr/local/bin"},
		Grace:        10 * time.Second,
		Drain:        10 * time.Minute,
		ReadyTimeout: 30 * time.Second,
		ScaleEvery:   time.Second,
		SaveEvery:    time.Minute,
		MinBackoff:   100 * time.Millisecond,
		MaxBackoff:   30 * time.Second,
		LogLimit:     1 << 20,
		MaxReplicas:  64,
		RunAs:        &child.User{UID: 65534, GID: 65534},
	}
}

// Validate returns all that is wrong with c, wrapping [faas.ErrInvalid].
func (c *Config) Validate() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("embedded runtime: %w: "+format, append([]any{faas.ErrInvalid}, args...)...))
		}
	}
	want(filepath.IsAbs(c.DataDir), "data folder %q is not an absolute path", c.DataDir)
	want(filepath.IsAbs(c.Exe), "program for builtin functions %q is not an absolute path", c.Exe)
	want(!slices.ContainsFunc(c.ExecPath, func(p string) bool { return !filepath.IsAbs(p) }), "exec path %q: each folder must be absolute", c.ExecPath)
	want(!slices.ContainsFunc(c.WasmDirs, func(p string) bool { return !filepath.IsAbs(p) }), "folders for WebAssembly functions %q: each must be absolute", c.WasmDirs)
	want(c.Grace > 0, "grace %v is not positive", c.Grace)
	want(c.Drain > 0, "drain %v is not positive", c.Drain)
	want(c.ScaleEvery > 0, "loads are looked at every %v: want more than 0", c.ScaleEvery)
	want(c.SaveEvery > 0, "counts are stored every %v: want more than 0", c.SaveEvery)
	want(c.ReadyTimeout > 0, "ready timeout %v is not positive", c.ReadyTimeout)
	want(c.MinBackoff > 0 && c.MinBackoff <= c.MaxBackoff, "backoff from %v to %v: want 0 < first <= last", c.MinBackoff, c.MaxBackoff)
	want(c.LogLimit >= 4096, "log limit %d bytes: want at least 4096", c.LogLimit)
	want(c.MaxReplicas >= 1, "at most %d replicas: want 1 or more", c.MaxReplicas)
	return errors.Join(errs...)
}
