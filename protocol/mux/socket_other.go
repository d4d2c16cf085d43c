//go:build !unix

package mux

// canTry: elsewhere a write that does not wait is not to be had.
const canTry = false

func (s *Socket) tryOnce(uintptr) bool { return true }
