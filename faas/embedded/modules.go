package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
)

// modules is a folder of WebAssembly modules, each named by its digest: what is
// deployed stays what it was, whatever becomes of the file that it was read from.
type modules struct{ dir string }

const (
	digestPrefix = "sha256-"
	moduleSuffix = ".wasm"
)

// digestForm is how files and folders are named. In images and answers it is
// sha256:HEX, as OCI writes it.
var digestForm = regexp.MustCompile(`^sha256-[0-9a-f]{64}$`)

// parseDigest reads sha256:HEX.
func parseDigest(s string) (string, error) {
	digest := strings.Replace(s, ":", "-", 1)
	if !digestForm.MatchString(digest) {
		return "", fmt.Errorf("image %q: %w: a digest is sha256: and 64 digits from 0 to f", "wasm:"+s, faas.ErrInvalid)
	}
	return digest, nil
}

// moduleImage is the image that names a stored module.
func moduleImage(digest string) string { return "wasm:" + strings.Replace(digest, "-", ":", 1) }

func digestOf(module []byte) string {
	sum := sha256.Sum256(module)
	return digestPrefix + hex.EncodeToString(sum[:])
}

func (m modules) path(digest string) string { return filepath.Join(m.dir, digest+moduleSuffix) }

// add stores the module in a file of the node's owner and returns its digest.
func (m modules) add(path string) (string, error) {
	module, err := readModule(path)
	if err != nil {
		return "", err
	}
	digest := digestOf(module)
	if _, err := m.read(digest); err == nil {
		return digest, nil
	}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return "", fmt.Errorf("store module: %w", err)
	}
	if err := replaceFile(m.path(digest), module); err != nil {
		return "", fmt.Errorf("store module: %w", err)
	}
	return digest, nil
}

// readModule reads no more than a module may have.
func readModule(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("module: %w: %w", faas.ErrInvalid, err)
	}
	defer func() { _ = f.Close() }()
	module, err := io.ReadAll(io.LimitReader(f, wasi.MaxModule+1))
	if err != nil {
		return nil, fmt.Errorf("module: %w: %w", faas.ErrInvalid, err)
	}
	if err := wasi.Check(module); err != nil {
		return nil, fmt.Errorf("module %s: %w: %w", path, faas.ErrInvalid, err)
	}
	return module, nil
}

// read returns a stored module as it was.
func (m modules) read(digest string) ([]byte, error) {
	module, err := os.ReadFile(m.path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no module %s is stored here; deploy it as wasm:PATH", faas.ErrInvalid, moduleImage(digest))
	}
	if err != nil {
		return nil, fmt.Errorf("read module: %w", err)
	}
	if digestOf(module) != digest {
		return nil, fmt.Errorf("module %s is damaged on disk (%s); deploy it again", moduleImage(digest), m.path(digest))
	}
	return module, nil
}

// sweep removes the modules that used does not name.
func (m modules) sweep(used map[string]bool) error {
	entries, err := os.ReadDir(m.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		if digest := strings.TrimSuffix(e.Name(), moduleSuffix); !used[digest] {
			errs = append(errs, os.Remove(filepath.Join(m.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// modules are those that deployments use, also deployments that this version
// cannot read. After an error it is not known which are.
func (s store) modules() (map[string]bool, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	used := make(map[string]bool)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), recordSuffix) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(s.dir, e.Name()))
		if err != nil {
			return nil, err
		}
		var r struct{ Module string }
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("deployment %s: %w", e.Name(), err)
		}
		used[r.Module] = true
	}
	return used, nil
}

// sweepModules removes the modules that no stored deployment uses, and their
// machine code. rt.change is held.
func (rt *Runtime) sweepModules() {
	used, err := rt.store.modules()
	if err == nil {
		err = errors.Join(rt.modules.sweep(used), rt.engine.Forget(func(digest string) bool { return used[digest] }))
	}
	if err != nil {
		log.Warnw("unused modules are not removed", "error", err)
	}
}
