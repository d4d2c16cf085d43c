// Package wasitest makes small WebAssembly modules for tests: the binary format
// is simple enough to be written by hand, and binaries do not belong among
// sources.
//
//	os.WriteFile(path, wasitest.Echo(), 0o644)
//
// [Echo] and its like are what a C compiler would make of ten lines: a few
// hundred bytes. [Build] has the Go tool compile a program for wasip1, some 2 MB;
// its build cache makes it quick from the second time on.
//
// Pitfalls: nothing is checked but by who runs the module.
package wasitest
