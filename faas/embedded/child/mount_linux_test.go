package child

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// output runs a script to its end.
func output(t *testing.T, s *Spawner, c Command) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	c.Files[1], c.Files[2] = w, w
	p := begin(t, s, c)
	_ = w.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	return string(text)
}

// TestMounts: each process has the folder of its own function or none, whatever
// was started before it from the same thread, and cannot write it.
func TestMounts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	at := filepath.Join(t.TempDir(), "made", "on demand")
	s := open(t, t.TempDir())
	look := shell("cat '" + at + "/file' 2>/dev/null || echo none; (echo > '" + at + "/file') 2>/dev/null && echo written; true")
	commands := map[string]Command{"none\n": look}
	for _, text := range []string{"one\n", "two\n"} {
		from := t.TempDir()
		if err := os.WriteFile(filepath.Join(from, "file"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := NewMounts(from, at)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		c := look
		c.Mounts = m
		commands[text] = c
	}
	if info, err := os.Stat(at); err != nil || !info.IsDir() {
		t.Fatalf("the folder was not made: %v", err)
	}
	commands["none\n"] = shell("cat '" + at + "/file' 2>/dev/null || echo none")
	for range 3 {
		for want, c := range commands {
			if got := output(t, s, c); got != want {
				t.Errorf("it sees %q, want %q", got, want)
			}
		}
	}
	closed := commands["one\n"]
	_ = output(t, s, commands["none\n"])
	closed.Mounts.Close()
	closed.Mounts.Close()
	if _, err := s.Start(closed); err == nil || !strings.Contains(err.Error(), "mounts") {
		t.Errorf("error %v of a start in what is gone", err)
	}
	if got := output(t, s, commands["two\n"]); got != "two\n" {
		t.Errorf("after that, it sees %q", got)
	}
}

func TestMountsFail(t *testing.T) {
	if m, err := NewMounts(filepath.Join(t.TempDir(), "absent"), t.TempDir()); err == nil {
		m.Close()
		t.Error("what is not there was mounted")
	}
	(*Mounts)(nil).Close()
}
