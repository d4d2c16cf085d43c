//go:build !linux

package scale

import (
	"errors"
	"os/exec"
	"syscall"
)

var errLinux = errors.New("scale measures on Linux only: it needs network namespaces and /proc")

// Isolated fails here.
func Isolated(*exec.Cmd) error { return errLinux }

// Open fails here.
func Open() error { return errLinux }

func withUs() *syscall.SysProcAttr { return nil }

// GiveWay fails here.
func GiveWay() error { return errLinux }
