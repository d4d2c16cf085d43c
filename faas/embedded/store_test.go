package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

func someRecord() record {
	return record{
		Version: storeVersion, Replicas: 2, Invocations: 7, CreatedAt: time.Date(2026, 11, 23, 1, 2, 3, 4, time.UTC),
		Function: faas.Function{
			Name: faas.Name{Function: "f", Namespace: "ns"}, Image: "builtin:echo", EnvProcess: "cat", EnvVars: map[string]string{"a": "b"},
			Constraints: []string{"c"}, Secrets: []string{"s"}, Labels: map[string]string{"l": "1"}, Annotations: map[string]string{"n": "2"},
			Limits: &faas.Resources{Memory: "1Gi"}, Requests: &faas.Resources{CPU: "1"}, ReadOnlyRootFilesystem: true,
		},
	}
}

func TestStore(t *testing.T) {
	s := store{filepath.Join(t.TempDir(), "functions")}
	if all, err := s.load(); len(all) != 0 || err != nil {
		t.Fatalf("%v, %v", all, err)
	}
	r := someRecord()
	if err := errors.Join(s.save(record{Function: r.Function}), s.save(r)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"cut.json": `{"Version":1,"Func`, "newer.json": `{"Version":2}`, "old.json": `{}`, "new-123": "x",
		"name.json": `{"Version":1,"Function":{"Name":{"Function":"../x","Namespace":"y"}}}`,
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.load()
	if diff := cmp.Diff([]record{r}, all); diff != "" || err != nil {
		t.Errorf("loaded (-want +got):\n%s%v", diff, err)
	}
	if err := errors.Join(s.remove(r.Function.Name), s.remove(r.Function.Name)); err != nil {
		t.Fatal(err)
	}
	if all, err := s.load(); len(all) != 0 || err != nil {
		t.Errorf("after removal: %v, %v", all, err)
	}
}

// TestStoreFails: what cannot be stored is an error that says so.
func TestStoreFails(t *testing.T) {
	s := store{filepath.Join(t.TempDir(), "absent")}
	if err := s.save(someRecord()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"Version":1,"Function":{"Name":{"Function":"f","Namespace":"n"}},"Replicas":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseRecord(text)
		if err != nil {
			return
		}
		if r.Function.Name.Validate() != nil || r.Replicas < 0 || filepath.Dir((store{"/d"}).path(r.Function.Name)) != "/d" {
			t.Fatalf("%q is accepted as %+v", text, r)
		}
	})
}
