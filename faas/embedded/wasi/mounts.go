package wasi

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync/atomic"
	"syscall"

	"github.com/tetratelabs/wazero"
	experimental "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/sys"
)

// maxOpen is how many files a function may have open, all invocations together.
const maxOpen = 256

// Mount is a folder of this machine that a function may read.
type Mount struct {
	Host  string // the folder here
	Guest string // its absolute path in the function
}

// mounted are the folders of one function. Paths and links that lead out of a
// folder are refused, as are files that are neither regular nor folders: opening
// a pipe may never return.
type mounted struct {
	mounts []Mount
	roots  []*os.Root
	open   *atomic.Int64
}

func openMounts(mounts []Mount) (mounted, error) {
	m := mounted{mounts: mounts, open: new(atomic.Int64)}
	for _, one := range mounts {
		root, err := os.OpenRoot(one.Host)
		if err != nil {
			m.close()
			return mounted{}, fmt.Errorf("mount %s: %w", one.Guest, err)
		}
		m.roots = append(m.roots, root)
	}
	return m, nil
}

func (m mounted) close() {
	for _, r := range m.roots {
		_ = r.Close()
	}
}

// config is what wazero needs of them, nil for none.
func (m mounted) config() wazero.FSConfig {
	if len(m.roots) == 0 {
		return nil
	}
	cfg := wazero.NewFSConfig()
	for i, r := range m.roots {
		files := folder{&sysfs.AdaptFS{FS: readable{r, m.open}}, r}
		cfg = cfg.(sysfs.FSConfig).WithSysFSMount(&sysfs.ReadFS{FS: files}, m.mounts[i].Guest)
	}
	return cfg
}

// folder tells of a file without opening it.
type folder struct {
	*sysfs.AdaptFS
	root *os.Root
}

func (f folder) Stat(name string) (sys.Stat_t, experimental.Errno) {
	return describe(f.root.Stat(relative(name)))
}

func (f folder) Lstat(name string) (sys.Stat_t, experimental.Errno) {
	return describe(f.root.Lstat(relative(name)))
}

func (f folder) Readlink(name string) (string, experimental.Errno) {
	to, err := f.root.Readlink(relative(name))
	return to, experimental.UnwrapOSError(permission(err))
}

// relative is a name in the folder: wazero has it begin with a slash where the
// module looks into a folder that it has opened.
func relative(name string) string { return path.Join(".", name) }

func describe(info fs.FileInfo, err error) (sys.Stat_t, experimental.Errno) {
	if err != nil {
		return sys.Stat_t{}, experimental.UnwrapOSError(permission(err))
	}
	return sys.NewStat_t(info), 0
}

// permission is what a path that leads out of its folder is refused with.
func permission(err error) error {
	var errno syscall.Errno
	if err == nil || errors.As(err, &errno) {
		return err
	}
	return fs.ErrPermission
}

// readable is a folder's files as a module sees them.
type readable struct {
	root *os.Root
	open *atomic.Int64
}

// Open implements [fs.FS].
func (r readable) Open(name string) (fs.File, error) {
	info, err := r.root.Stat(name)
	if err != nil {
		return nil, permission(err)
	}
	if mode := info.Mode(); !mode.IsRegular() && !mode.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	if r.open.Add(1) > maxOpen {
		r.open.Add(-1)
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EMFILE}
	}
	f, err := r.root.Open(name)
	if err != nil {
		r.open.Add(-1)
		return nil, permission(err)
	}
	return &openFile{File: f, open: r.open}, nil
}

// openFile counts itself.
type openFile struct {
	*os.File
	open   *atomic.Int64
	closed atomic.Bool
}

func (f *openFile) Close() error {
	if f.closed.CompareAndSwap(false, true) {
		f.open.Add(-1)
	}
	return f.File.Close()
}
