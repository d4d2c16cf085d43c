package api_test

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas/api"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestAuth(t *testing.T) {
	s := serve(t, api.Options{Credentials: &api.Credentials{User: "admin", Password: "pw"}})
	for header, want := range map[string]int{
		basic("admin", "pw"):  200,
		basic("admin", "pw2"): 401,
		basic("admin", ""):    401,
		basic("", "pw"):       401,
		basic("Admin", "pw"):  401,
		"Bearer pw":           401,
		"Basic !":             401,
		"":                    401,
	} {
		status, body, h := s.call("GET", "/system/functions", "", "Authorization", header)
		if status != want {
			t.Errorf("%q: %d %q, want %d", header, status, body, want)
		}
		if status == 401 && (body != "invalid credentials\n" || h.Get("WWW-Authenticate") != `Basic realm="Restricted"`) {
			t.Errorf("%q: body %q, header %v", header, body, h)
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/system/nothing": 401, "/system/info": 401, "/system/secrets": 401, "/system/logs": 401, "/system/alert": 401, "/ui/": 200} {
		if status, body, _ := s.call("GET", path, ""); status != want {
			t.Errorf("%s without credentials: %d %q, want %d", path, status, body, want)
		}
	}
}

func TestEmptyPasswordMatchesNobody(t *testing.T) {
	s := serve(t, api.Options{Credentials: &api.Credentials{}})
	if status, _, _ := s.call("GET", "/system/info", "", "Authorization", basic("", "")); status != 401 {
		t.Errorf("status %d, want 401", status)
	}
}

func TestLoadCredentials(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if _, _, err := api.ReadCredentials(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read before they are made: %v", err)
	}
	user, password, err := api.LoadCredentials(dir)
	if err != nil || user != "admin" || len(password) != 32 {
		t.Fatalf("%q %q %v", user, password, err)
	}
	for range 2 {
		u, p, err := api.LoadCredentials(dir)
		if u != user || p != password || err != nil {
			t.Fatalf("second start: %q %q %v", u, p, err)
		}
	}
	if u, p, err := api.ReadCredentials(dir); u != user || p != password || err != nil {
		t.Errorf("read: %q %q %v", u, p, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("files %v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if _, other, err := api.LoadCredentials(t.TempDir()); err != nil || other == password {
		t.Errorf("another node has the same password (%v)", err)
	}
}

func TestLoadCredentialsKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "basic-auth-password")
	if err := os.WriteFile(path, []byte(" mine \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if user, password, err := api.LoadCredentials(dir); user != "admin" || password != "mine" || err != nil {
		t.Errorf("%q %q %v", user, password, err)
	}
}

func TestLoadCredentialsRefuses(t *testing.T) {
	for _, row := range []struct {
		content string
		mode    os.FileMode
		want    string
	}{
		{"secret", 0o644, "chmod 600"},
		{"secret", 0o602, "chmod 600"},
		{" \n", 0o600, "empty"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "basic-auth-password")
		if err := os.WriteFile(path, []byte(row.content), row.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, row.mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		_, _, err := api.LoadCredentials(dir)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("mode %#o, %q: %v, want %q and the path", row.mode, row.content, err, row.want)
		}
	}
}
