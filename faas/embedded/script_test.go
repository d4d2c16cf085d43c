package embedded_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded"
)

// bed is a Runtime with a folder for scripts.
type bed struct {
	*testing.T
	dir string
	rt  *embedded.Runtime
}

func newBed(t *testing.T) *bed {
	t.Helper()
	dir := t.TempDir()
	return &bed{t, dir, start(t, testConfig(dir))}
}

// script writes a program and returns its path.
func (b *bed) script(name, text string) string {
	b.Helper()
	path := filepath.Join(b.dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		b.Fatal(err)
	}
	return path
}

func (b *bed) deploy(f faas.Function) {
	b.Helper()
	if err := b.rt.Deploy(b.Context(), f); err != nil {
		b.Fatal(err)
	}
}

// call returns the answer with its whole body.
func (b *bed) call(r *faas.Request) (*faas.Response, string, error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	resp, err := b.rt.Invoke(ctx, r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func (b *bed) get(name string) (*faas.Response, string, error) {
	b.Helper()
	return b.call(&faas.Request{Name: named(name), Method: "GET"})
}

func (b *bed) mustGet(name string) string {
	b.Helper()
	_, body, err := b.get(name)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

func (b *bed) status(name string) faas.Status {
	b.Helper()
	st, err := b.rt.Get(b.Context(), named(name))
	if err != nil {
		b.Fatal(err)
	}
	return st
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

// lines that a file has by now.
func lines(path string) []string {
	text, _ := os.ReadFile(path)
	return strings.Fields(string(text))
}
