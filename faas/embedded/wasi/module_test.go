package wasi_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
)

// table is a section with one table: what it holds, and its limits.
func table(kind byte, limits ...uint64) []byte {
	out := []byte{1, kind, byte(len(limits) - 1)}
	for _, l := range limits {
		out = binary.AppendUvarint(out, l)
	}
	return out
}

// growTable asks for n more entries, and exits with status 12 if it gets them.
func growTable(n int32) []byte {
	grow := append([]byte{0xd0, 0x70}, wasitest.Const(n)...) // ref.null, how many
	grow = append(grow, 0xfc, 15, 0)                         // table.grow
	grow = append(grow, wasitest.Const(-1)...)
	grow = append(grow, 0x47, 0x04, 0x40)                             // unequal, if
	grow = append(grow, append(wasitest.Const(12), 0x10, 4, 0x0b)...) // proc_exit, end
	return grow
}

func TestTablesAreBounded(t *testing.T) {
	for _, tt := range []struct {
		name   string
		limits []uint64
		grow   int32
		status int
	}{
		{"none, to the bound", []uint64{10}, 1<<20 - 10, 500},
		{"none, above the bound", []uint64{10}, 1<<20 - 9, 200},
		{"own, below it", []uint64{10, 20}, 10, 500},
		{"own, above it", []uint64{10, 20}, 11, 200},
		{"own, large", []uint64{10, 1 << 26}, 1 << 22, 200},
	} {
		b := newBed(t, wasitest.Module{Table: table(0x70, tt.limits...), Code: growTable(tt.grow)}.Bytes(), wasi.Config{})
		if resp, body, err := b.post(""); err != nil || resp.Status != tt.status {
			t.Errorf("%s: %v, %q, %v", tt.name, resp, body, err)
		}
	}
}

// TestUnsuitable modules are refused with what to do.
func TestUnsuitable(t *testing.T) {
	echo := wasitest.Echo()
	for _, tt := range []struct {
		name, says string
		module     []byte
	}{
		{"text", "GOOS=wasip1", []byte("#!/bin/sh\n")},
		{"nothing", "GOOS=wasip1", nil},
		{"cut version", "version", []byte("\x00asm\x01")},
		{"component", "preview 1", []byte("\x00asm\x0d\x00\x01\x00")},
		{"later version", "version 02000000", []byte("\x00asm\x02\x00\x00\x00")},
		{"huge", "strip", make([]byte, wasi.MaxModule+1)},
		{"library", "no function _start", wasitest.Module{Export: "handle"}.Bytes()},
		{"other imports", "env.fd_read", wasitest.Module{Import: "env"}.Bytes()},
		{"older WASI", "preview 1", wasitest.Module{Import: "wasi_unstable"}.Bytes()},
		{"odd table", "tables cannot be read", wasitest.Module{Table: []byte{1, 0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b}}.Bytes()},
		{"cut", "", echo[:len(echo)-20]},
		{"bad code", "", wasitest.Module{Code: []byte{0xff}}.Bytes()},
		{"unbalanced code", "", wasitest.Module{Code: wasitest.Const(1)}.Bytes()},
		{"data outside of memory", "out of bounds", bytes.Replace(wasitest.Module{Data: "here"}.Bytes(), []byte{0, 0x41, 0xc0, 0, 0x0b}, []byte{0, 0x41, 0xff, 0x7f, 0x0b}, 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, tt.module, wasi.Config{})
			err := b.runner.Load(t.Context())
			if !errors.Is(err, wasi.ErrModule) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
			if s := b.runner.State(); s.Loaded || s.Failure == nil {
				t.Errorf("state %+v", s)
			}
		})
	}
}

// FuzzModule: no module, however broken, takes the node down in being read.
func FuzzModule(f *testing.F) {
	f.Add(wasitest.Echo())
	f.Add(wasitest.Module{Table: table(0x70, 1)}.Bytes())
	f.Add(wasitest.Module{Memory: 1 << 15}.Bytes())
	f.Fuzz(func(t *testing.T, module []byte) {
		prepared, err := wasi.Prepare(module, 16)
		if err == nil && len(prepared) > len(module)+len(module)/2+64 {
			t.Errorf("%d bytes became %d", len(module), len(prepared))
		}
	})
}
