package child

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Mounts is a mount namespace that is like the node's but for one folder, of
// which it has another. It lives until Close and until nothing runs in it.
type Mounts struct {
	namespace *os.File
	once      sync.Once
}

// threadNamespace names the mount namespace of the thread that opens it.
const threadNamespace = "/proc/thread-self/ns/mnt"

// NewMounts makes a namespace in which the folder from is also at to, where it
// cannot be written. The folder to is made if it is not there, and stays. What is
// mounted or unmounted on the machine later is so in it too where the machine's
// mounts are shared, as systemd has them; elsewhere it stays as it was. It takes root.
func NewMounts(from, to string) (*Mounts, error) {
	m := &Mounts{}
	err := onOwnThread(func() error {
		root, err := identify("/")
		if err == nil {
			err = bindInCopy(from, to)
		}
		if err == nil {
			m.namespace, err = os.Open(threadNamespace)
		}
		if err == nil {
			err = m.try(root)
		}
		return err
	})
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("mount %s: %w", to, err)
	}
	return m, nil
}

// onOwnThread runs f on a thread that ends with it, whatever f makes of it. The
// main thread does not end, and would show as the whole process in /proc: it only
// waits here.
func onOwnThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			done <- f()
			return // locked: the thread ends
		}
		err := onOwnThread(f)
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}

// bindInCopy gives this thread a copy of its mount namespace and changes that.
func bindInCopy(from, to string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	const readOnly = unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	return os.NewSyscallError("mount", unix.Mount("", to, "", readOnly, ""))
}

// try makes sure that a thread can enter the namespace and still finds the same
// root: entering leaves a changed one (chroot).
func (m *Mounts) try(root [2]uint64) error {
	if err := m.enter(); err != nil {
		return err
	}
	now, err := identify("/")
	if err == nil && now != root {
		err = errors.New("this process runs in a changed root folder")
	}
	return err
}

func identify(path string) (id [2]uint64, err error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return id, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return [2]uint64{uint64(st.Dev), st.Ino}, nil
}

// enter moves this thread, which shares its file system state with no other.
func (m *Mounts) enter() error {
	return os.NewSyscallError("setns", unix.Setns(int(m.namespace.Fd()), unix.CLONE_NEWNS))
}

// Close lets go of the namespace. Commands that name it fail from then on. It is
// idempotent, and does nothing for nil.
func (m *Mounts) Close() {
	if m != nil && m.namespace != nil {
		m.once.Do(func() { _ = m.namespace.Close() })
	}
}

// room is where a spawning thread is: what it starts is there as well.
type room struct {
	own *Mounts // the node's; nil: never left
	now *Mounts // nil: the node's
}

// moveTo moves this thread to m, nil for the node's namespace, if it is not
// there already.
func (r *room) moveTo(m *Mounts) error {
	if m == r.now {
		return nil
	}
	if r.own == nil {
		if err := r.openOwn(); err != nil {
			return err
		}
	}
	to := m
	if to == nil {
		to = r.own
	}
	if err := to.enter(); err != nil {
		return fmt.Errorf("enter function's mounts: %w", err)
	}
	r.now = m
	return nil
}

// openOwn lets the thread move, and return.
func (r *room) openOwn() error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	f, err := os.Open(threadNamespace)
	if err != nil {
		return err
	}
	r.own = &Mounts{namespace: f}
	return nil
}

func (r *room) close() { r.own.Close() }
