package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
)

// namespaceVersion is that of the files' format.
const namespaceVersion = 1

// storedNamespace is a namespace as it is stored.
type storedNamespace struct {
	Version   int
	Namespace faas.Namespace
}

// namespaceStore is a folder with a file per namespace that was created.
type namespaceStore struct{ dir string }

func (s namespaceStore) path(name string) string {
	return filepath.Join(s.dir, name+recordSuffix)
}

func (s namespaceStore) save(n faas.Namespace) error {
	text, err := json.MarshalIndent(storedNamespace{namespaceVersion, n}, "", "  ")
	if err == nil {
		err = os.MkdirAll(s.dir, 0o700)
	}
	if err == nil {
		err = replaceFile(s.path(n.Name), text)
	}
	if err != nil {
		return fmt.Errorf("store namespace: %w", err)
	}
	return nil
}

// remove does nothing for one that was not created.
func (s namespaceStore) remove(name string) error {
	err := os.Remove(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(s.dir)
	}
	if err != nil {
		return fmt.Errorf("delete namespace: %w", err)
	}
	return nil
}

// load returns all by name. One that cannot be read is reported and left alone.
func (s namespaceStore) load() (map[string]faas.Namespace, error) {
	files, err := names(s.dir, fs.FileMode.IsRegular)
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	all := make(map[string]faas.Namespace)
	for _, file := range files {
		name, found := strings.CutSuffix(file, recordSuffix)
		if !found {
			continue // not written to its end
		}
		n, err := s.read(name)
		if err != nil {
			log.Errorw("namespace cannot be read", "file", file, "error", err)
			continue
		}
		all[name] = n
	}
	return all, nil
}

func (s namespaceStore) read(name string) (faas.Namespace, error) {
	text, err := os.ReadFile(s.path(name))
	if err != nil {
		return faas.Namespace{}, err
	}
	return parseNamespace(name, text)
}

func parseNamespace(name string, text []byte) (faas.Namespace, error) {
	var stored storedNamespace
	if err := json.Unmarshal(text, &stored); err != nil {
		return faas.Namespace{}, err
	}
	if stored.Version < 1 || stored.Version > namespaceVersion {
		return faas.Namespace{}, fmt.Errorf("format %d is not known to this version, which reads up to %d", stored.Version, namespaceVersion)
	}
	if stored.Namespace.Name != name {
		return faas.Namespace{}, fmt.Errorf("it holds namespace %q", stored.Namespace.Name)
	}
	return stored.Namespace, faas.ValidateNamespace(name)
}
