package wasi

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

const (
	// MaxModule is how many bytes a module may have.
	MaxModule = 64 << 20
	// DefaultMemory is the memory limit, in bytes, of a function that names none.
	DefaultMemory = 64 << 20

	pageSize  = 64 << 10
	maxPages  = 1 << 16
	startName = "_start"

	// maxTable is how many entries a table may grow to: memory that the limit
	// does not count.
	maxTable = 1 << 20

	// checkTime is for how long an instance may be in the making.
	checkTime = 10 * time.Second
)

// ErrModule marks a module that is not one that can run here. The text says why,
// and what to do.
var ErrModule = errors.New("unsuitable WebAssembly module")

// Parts of a module's binary format that are read here: sections, and what a
// table holds.
const (
	sectionTable   = 4
	sectionMemory  = 5
	typeFunctions  = 0x70
	typeReferences = 0x6f
)

// Check looks at a module's size and first bytes.
func Check(module []byte) error {
	if len(module) > MaxModule {
		return fmt.Errorf("%w: it has %d bytes, and at most %d are accepted; strip it of its debugging information, or build it smaller", ErrModule, len(module), MaxModule)
	}
	magic, version := []byte("\x00asm"), []byte{1, 0, 0, 0}
	switch {
	case !bytes.HasPrefix(module, magic):
		return fmt.Errorf("%w: it begins with %q, not with %q; compile for WASI, such as with GOOS=wasip1 GOARCH=wasm", ErrModule, module[:min(len(module), 4)], magic)
	case bytes.HasPrefix(module[4:], version):
		return nil
	case len(module) >= 8 && module[6] == 1:
		return fmt.Errorf("%w: it is a component (WASI preview 2); this node runs modules of preview 1: compile for wasm32-wasip1", ErrModule)
	}
	return fmt.Errorf("%w: it has version %x of the binary format, and this node reads %x", ErrModule, module[4:min(len(module), 8)], version)
}

// prepare returns the module with bounded tables, and refuses one whose memory
// begins above the limit. What it cannot read it leaves for the compiler to say.
func prepare(module []byte, pages uint32) ([]byte, error) {
	err := Check(module)
	if err != nil {
		return nil, err
	}
	prepared := bytes.NewBuffer(make([]byte, 0, len(module)+16))
	prepared.Write(module[:8])
	for rest := module[8:]; len(rest) > 0; {
		id := rest[0]
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return module, nil
		}
		body := rest[1+n : 1+n+int(size)]
		rest = rest[1+n+int(size):]
		switch id {
		case sectionTable:
			body, err = boundTables(body)
		case sectionMemory:
			err = checkMemory(body, pages)
		}
		if err != nil {
			return nil, err
		}
		prepared.WriteByte(id)
		prepared.Write(binary.AppendUvarint(nil, uint64(len(body))))
		prepared.Write(body)
	}
	return prepared.Bytes(), nil
}

var errTables = fmt.Errorf("%w: its tables cannot be read; a table of functions or references, without an initial value, can", ErrModule)

// boundTables gives each table of a section at most maxTable entries, or as many
// as it begins with.
func boundTables(section []byte) ([]byte, error) {
	count, n := binary.Uvarint(section)
	if n <= 0 || count > uint64(len(section)) {
		return nil, errTables
	}
	bound, rest := binary.AppendUvarint(nil, count), section[n:]
	for range count {
		if len(rest) < 2 || rest[0] != typeFunctions && rest[0] != typeReferences || rest[1] > 1 {
			return nil, errTables
		}
		first, most, length := limits(rest[1:])
		if length <= 0 {
			return nil, errTables
		}
		bound = append(bound, rest[0], 1)
		bound = binary.AppendUvarint(bound, first)
		bound = binary.AppendUvarint(bound, min(most, max(first, maxTable)))
		rest = rest[1+length:]
	}
	return append(bound, rest...), nil
}

// limits reads what a table or memory begins with and may grow to; length is
// that of what was read, 0 if it is cut.
func limits(b []byte) (first, most uint64, length int) {
	first, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return 0, 0, 0
	}
	if b[0]&1 == 0 {
		return first, 1 << 32, 1 + n
	}
	most, m := binary.Uvarint(b[1+n:])
	if m <= 0 {
		return 0, 0, 0
	}
	return first, most, 1 + n + m
}

func checkMemory(section []byte, pages uint32) error {
	if len(section) < 3 || section[0] != 1 {
		return nil
	}
	first, _, length := limits(section[1:])
	if length <= 0 || first <= uint64(pages) {
		return nil
	}
	return fmt.Errorf("%w: it begins with %d bytes of memory, more than its limit of %d; raise limits.memory", ErrModule, first*pageSize, uint64(pages)*pageSize)
}

// check tells why compiled cannot be run as a command. It makes an instance and
// runs nothing of it but what the module wants done for every instance.
func (c *code) check(ctx context.Context) error {
	start := c.compiled.ExportedFunctions()[startName]
	if start == nil {
		return fmt.Errorf("%w: it exports no function %s; build a command with a main function, not a library or reactor", ErrModule, startName)
	}
	if len(start.ParamTypes())+len(start.ResultTypes()) > 0 {
		return fmt.Errorf("%w: its %s takes or returns values, and a command's does not", ErrModule, startName)
	}
	for _, f := range c.compiled.ImportedFunctions() {
		if from, name, _ := f.Import(); from != wasi_snapshot_preview1.ModuleName {
			return fmt.Errorf("%w: it imports %s.%s, and only %s is offered; compile for WASI preview 1 (GOOS=wasip1, wasm32-wasip1)",
				ErrModule, from, name, wasi_snapshot_preview1.ModuleName)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	instance, err := c.runtime.InstantiateModule(ctx, c.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return fmt.Errorf("%w: make an instance: %w", ErrModule, err)
	}
	return instance.Close(ctx)
}
