package wasitest

import (
	"encoding/binary"
	"slices"
)

// Module is a module to be assembled, of one function.
type Module struct {
	Import string // the module that all functions are imported from; "": WASI preview 1
	Export string // the function's name; "": _start
	Memory uint64 // pages of 64 KiB at the beginning; 0: 2
	Table  []byte // the table section's content, nil for none
	Data   string // what lies in memory at DataAt
	Code   []byte
}

// DataAt is where a Module's data lies.
const DataAt = 64

// Imported functions, by their index.
const (
	fdRead = iota
	fdWrite
	environSizes
	environ
	procExit
	imports
)

const (
	typeI32      = 0x7f
	kindFunction = 0
	kindMemory   = 2
)

// Bytes is the module in the binary format.
func (m Module) Bytes() []byte {
	from, export, pages := or(m.Import, "wasi_snapshot_preview1"), or(m.Export, "_start"), m.Memory
	if pages == 0 {
		pages = 2
	}
	var imported [][]byte
	for i, name := range []string{"fd_read", "fd_write", "environ_sizes_get", "environ_get", "proc_exit"} {
		types := []byte{0, 0, 1, 1, 2}
		imported = append(imported, join(text(from), text(name), []byte{kindFunction, types[i]}))
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = section(out, 1, vector(function(4, 1), function(2, 1), function(1, 0), function(0, 0)))
	out = section(out, 2, vector(imported...))
	out = section(out, 3, vector([]byte{3}))
	if m.Table != nil {
		out = section(out, 4, m.Table)
	}
	out = section(out, 5, vector(join([]byte{0}, unsigned(pages))))
	out = section(out, 7, vector(
		join(text(export), []byte{kindFunction, imports}),
		join(text("memory"), []byte{kindMemory, 0})))
	body := join([]byte{0}, m.Code, []byte{opEnd})
	out = section(out, 10, vector(join(unsigned(uint64(len(body))), body)))
	return section(out, 11, vector(join([]byte{0}, Const(DataAt), []byte{opEnd}, text(m.Data))))
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func section(out []byte, id byte, content []byte) []byte {
	return join(out, []byte{id}, unsigned(uint64(len(content))), content)
}

// vector is a count and the items.
func vector(items ...[]byte) []byte { return append(unsigned(uint64(len(items))), join(items...)...) }

func text(s string) []byte { return append(unsigned(uint64(len(s))), s...) }

// function is a type: so many numbers in, so many out.
func function(in, out int) []byte {
	numbers := func(n int) []byte { return vector(slices.Repeat([][]byte{{typeI32}}, n)...) }
	return join([]byte{0x60}, numbers(in), numbers(out))
}

func unsigned(n uint64) []byte { return binary.AppendUvarint(nil, n) }
