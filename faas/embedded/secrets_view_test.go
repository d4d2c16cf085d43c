package embedded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

// TestSecretsElsewhere: where nothing can be mounted and the function's user
// cannot reach the node's folder, its secrets are in one that it can read and
// cannot change; and the next run removes it if this one cannot.
func TestSecretsElsewhere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can run functions as another user")
	}
	data := t.TempDir() // closed to others
	store := secretStore{filepath.Join(data, "secrets")}
	views := newSecretViews(filepath.Join(data, "run", "secrets"), store)
	secret := faas.Secret{Name: "key", Namespace: faas.DefaultNamespace, Value: []byte("v")}
	if err := errors.Join(store.open(), views.start(), store.write(secret)); err != nil {
		t.Fatal(err)
	}
	as := &child.User{UID: 4242, GID: 4243}
	f := &faas.Function{Name: faas.Name{Function: "f", Namespace: faas.DefaultNamespace}, Secrets: []string{"key"}}
	v, err := openView(views.dir, store, f, as)
	if err != nil {
		t.Fatal(err)
	}
	if v.reachable() {
		t.Fatalf("%s is said to be reachable", v.dir)
	}
	unreached := v.dir
	if v, err = views.besides(v, f); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(unreached); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", unreached, err)
	}
	file := filepath.Join(v.dir, "key")
	for path, want := range map[string]fs.FileMode{v.dir: fs.ModeDir | 0o750, file: 0o440} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	if err := as.Reachable(v.dir); err != nil {
		t.Error(err)
	}
	next := newSecretViews(views.dir, store)
	if err := next.start(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{views.elsewhere, views.reminder()} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the next run leaves %s: %v", path, err)
		}
	}
}

func TestNamespaceFiles(t *testing.T) {
	s := namespaceStore{filepath.Join(t.TempDir(), "namespaces")}
	if err := s.save(faas.Namespace{Name: "edge", Labels: map[string]string{"a": "b"}}); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"cut.json":   `{"Version":1,"Namesp`,
		"newer.json": `{"Version":2,"Namespace":{"Name":"newer"}}`,
		"other.json": `{"Version":1,"Namespace":{"Name":"edge"}}`,
		"Bad.json":   `{"Version":1,"Namespace":{"Name":"Bad"}}`,
		"new-123":    `{"Version":1,"Namespace":{"Name":"new-123"}}`,
	} {
		if err := os.WriteFile(filepath.Join(s.dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.load()
	if err != nil || len(all) != 1 || all["edge"].Labels["a"] != "b" {
		t.Errorf("%v, %v", all, err)
	}
}

func FuzzNamespace(f *testing.F) {
	f.Add("edge", []byte(`{"Version":1,"Namespace":{"Name":"edge","Labels":{"a":"b"}}}`))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		n, err := parseNamespace(name, text)
		if err == nil && (n.Name != name || faas.ValidateNamespace(name) != nil) {
			t.Errorf("%q is accepted as %+v", text, n)
		}
	})
}
