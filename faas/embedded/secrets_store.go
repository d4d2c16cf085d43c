package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
)

// secretStore is a folder with a folder per namespace and in it a file per
// secret. Only this user can read any of it.
type secretStore struct{ dir string }

func (s secretStore) path(namespace, name string) string {
	return filepath.Join(s.dir, namespace, name)
}

// open removes what a write that was cut off has left.
func (s secretStore) open() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("open secrets: %w", err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("open secrets: %w", err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), beginOfNew) {
			_ = os.Remove(filepath.Join(s.dir, e.Name()))
		}
	}
	return nil
}

// list is sorted by name, then by namespace.
func (s secretStore) list(namespace string) ([]faas.Secret, error) {
	namespaces := []string{namespace}
	if namespace == "" {
		var err error
		if namespaces, err = names(s.dir, fs.FileMode.IsDir); err != nil {
			return nil, fmt.Errorf("list secrets: %w", err)
		}
	}
	list := []faas.Secret{}
	for _, ns := range namespaces {
		found, err := names(filepath.Join(s.dir, ns), fs.FileMode.IsRegular)
		if err != nil {
			return nil, fmt.Errorf("list secrets: %w", err)
		}
		for _, name := range found {
			list = append(list, faas.Secret{Name: name, Namespace: ns})
		}
	}
	slices.SortFunc(list, func(a, b faas.Secret) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Namespace, b.Namespace))
	})
	return list, nil
}

// names lists a folder, which need not be there.
func names(dir string, is func(fs.FileMode) bool) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		if is(e.Type()) {
			all = append(all, e.Name())
		}
	}
	return all, nil
}

// read returns ErrNotFound if there is no such secret.
func (s secretStore) read(namespace, name string) ([]byte, error) {
	value, err := os.ReadFile(s.path(namespace, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("secret %q in namespace %s: %w", name, namespace, faas.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	return value, nil
}

func (s secretStore) has(namespace, name string) bool {
	_, err := os.Lstat(s.path(namespace, name))
	return err == nil
}

// write replaces a secret as a whole.
func (s secretStore) write(secret faas.Secret) error {
	path := s.path(secret.Namespace, secret.Name)
	err := os.Mkdir(filepath.Dir(path), 0o700)
	if err == nil {
		err = syncDir(s.dir)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("store secret: %w", err)
	}
	if err := replaceThrough(s.dir, path, secret.Value, nil); err != nil {
		return fmt.Errorf("store secret: %w", err)
	}
	return nil
}

// remove leaves no empty folder of a namespace.
func (s secretStore) remove(namespace, name string) error {
	path := s.path(namespace, name)
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("delete secret: %w", err)
	}
	if os.Remove(filepath.Dir(path)) != nil { // others are in it
		return syncDir(filepath.Dir(path))
	}
	return syncDir(s.dir)
}

// beginOfNew is that of files that are being written.
const beginOfNew = "new-"

// replaceThrough replaces a file as a whole by one that is written in another
// folder of the same file system: whoever lists the file's own folder sees no
// other file. Prepare may change the new file's owner and mode, 0600 before.
func replaceThrough(dir, path string, value []byte, prepare func(*os.File) error) error {
	f, err := os.CreateTemp(dir, beginOfNew+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(value)
	if err == nil && prepare != nil {
		err = prepare(f)
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}
