package live

import "syscall"

// attributes keep a signal from the keyboard for this process, which ends the
// others in its own order, and leave none behind.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
