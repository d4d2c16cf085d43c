package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// storeVersion is that of the files' format. A newer one is refused rather
// than read half.
const storeVersion = 1

const recordSuffix = ".json"

// record is a deployment as it is stored.
type record struct {
	Version     int
	Function    faas.Function
	Replicas    int
	CreatedAt   time.Time
	Invocations uint64
	// Module is the digest of the WebAssembly module that serves, empty if it is
	// something else.
	Module string `json:",omitempty"`
	// Previous is the version that serves until Function is ready; nil: none.
	Previous *faas.Function `json:",omitempty"`
}

// store is a folder with a file per deployment.
type store struct{ dir string }

func (s store) path(n faas.Name) string {
	return filepath.Join(s.dir, n.Function+"."+n.Namespace+recordSuffix)
}

// save replaces a deployment's file as a whole: after a crash it holds the old
// record or the new one.
func (s store) save(r record) error {
	r.Version = storeVersion
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("store deployment: %w", err)
	}
	if err := replaceFile(s.path(r.Function.Name), text); err != nil {
		return fmt.Errorf("store deployment: %w", err)
	}
	return nil
}

func replaceFile(path string, text []byte) error {
	return replaceThrough(filepath.Dir(path), path, text, nil)
}

func (s store) remove(n faas.Name) error {
	if err := os.Remove(s.path(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove deployment: %w", err)
	}
	return syncDir(s.dir)
}

// syncDir makes a rename or removal last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// load returns all deployments. One that cannot be read is reported and left
// alone: it must not keep the others from running.
func (s store) load() ([]record, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("open deployments: %w", err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("read deployments: %w", err)
	}
	var all []record
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), recordSuffix) {
			continue
		}
		r, err := readRecord(filepath.Join(s.dir, e.Name()))
		if err != nil {
			log.Errorw("deployment is not restored", "file", e.Name(), "error", err)
			continue
		}
		all = append(all, r)
	}
	return all, nil
}

func readRecord(path string) (record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return record{}, err
	}
	return parseRecord(text)
}

func parseRecord(text []byte) (record, error) {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return record{}, err
	}
	if r.Version < 1 || r.Version > storeVersion {
		return record{}, fmt.Errorf("format %d is not known to this version, which reads up to %d", r.Version, storeVersion)
	}
	if r.Previous != nil && r.Previous.Name != r.Function.Name {
		return record{}, fmt.Errorf("the version before %s is of %s", r.Function.Name, r.Previous.Name)
	}
	if r.Replicas < 0 {
		return record{}, fmt.Errorf("%d replicas", r.Replicas)
	}
	return r, r.Function.Name.Validate()
}
