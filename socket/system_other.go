//go:build !unix

package socket

import "syscall"

const possible = false

func send(uintptr, []byte) (int, syscall.Errno) { return 0, syscall.EAGAIN }

func receive(uintptr, []byte) (int, syscall.Errno) { return 0, syscall.EAGAIN }

func quiet(uintptr) bool { return false }
