package wasi

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// Results of WASI's functions.
const (
	errnoSuccess = 0
	errnoFault   = 21
)

// offer makes the functions of WASI preview 1 importable.
//
// The environment is our own: wazero's is part of a configuration that is copied
// as a whole for each variable added, into slots that concurrent copies share.
func offer(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(wasi_snapshot_preview1.ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(b)
	for name, f := range map[string]api.GoModuleFunc{"environ_sizes_get": environSizes, "environ_get": environ} {
		b.NewFunctionBuilder().
			WithGoModuleFunction(f, []api.ValueType{api.ValueTypeI32, api.ValueTypeI32}, []api.ValueType{api.ValueTypeI32}).
			Export(name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

// guestContext is what the host's functions find out of whom they serve.
type guestContext struct {
	context.Context
	environ []string
}

type environKey struct{}

func (g *guestContext) Value(key any) any {
	if key == (environKey{}) {
		return g.environ
	}
	return g.Context.Value(key)
}

func environOf(ctx context.Context) []string {
	env, _ := ctx.Value(environKey{}).([]string)
	return env
}

// environSizes writes how many variables there are, and their length in bytes,
// each one's final zero byte included.
func environSizes(ctx context.Context, m api.Module, stack []uint64) {
	env := environOf(ctx)
	size := len(env)
	for _, v := range env {
		size += len(v)
	}
	ok := m.Memory().WriteUint32Le(uint32(stack[0]), uint32(len(env))) &&
		m.Memory().WriteUint32Le(uint32(stack[1]), uint32(size))
	stack[0] = errno(ok)
}

// environ writes the address of each variable, and the variables.
func environ(ctx context.Context, m api.Module, stack []uint64) {
	at, to := uint32(stack[0]), uint32(stack[1])
	ok := true
	for _, v := range environOf(ctx) {
		var address [4]byte
		binary.LittleEndian.PutUint32(address[:], to)
		ok = ok && m.Memory().Write(at, address[:]) && m.Memory().WriteString(to, v) &&
			m.Memory().WriteByte(to+uint32(len(v)), 0)
		at, to = at+4, to+uint32(len(v))+1
	}
	stack[0] = errno(ok)
}

func errno(ok bool) uint64 {
	if ok {
		return errnoSuccess
	}
	return errnoFault
}
