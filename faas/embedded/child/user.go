package child

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Reachable returns nil if u may enter every folder above path, and read and
// run path itself, by the files' mode bits. Access lists are not looked at.
func (u *User) Reachable(path string) error {
	if err := u.may(path, 0o5); err != nil {
		return err
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if err := u.may(dir, 0o1); err != nil || dir == filepath.Dir(dir) {
			return err
		}
	}
}

// may compares the bits of owner, group or others, as the kernel does: the
// first class that fits decides.
func (u *User) may(path string, want os.FileMode) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	have := info.Mode().Perm()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case int(st.Uid) == u.UID:
			have >>= 6
		case int(st.Gid) == u.GID:
			have >>= 3
		}
	}
	if have&want != want {
		return fmt.Errorf("%s is closed to user %d (mode %v)", path, u.UID, info.Mode().Perm())
	}
	return nil
}
