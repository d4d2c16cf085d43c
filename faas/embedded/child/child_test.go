package child

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *Spawner {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func shell(script string) Command {
	return Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/bin:/usr/bin"}}
}

func begin(t *testing.T, s *Spawner, c Command) *Process {
	t.Helper()
	p, err := s.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProcessEnds(t *testing.T) {
	s := open(t, t.TempDir())
	p := begin(t, s, shell("exit 3"))
	<-p.Done()
	if got := p.State().String(); got != "exit status 3" {
		t.Errorf("ended with %s", got)
	}
	p.Kill() // of a process that is gone
	p.Stop(time.Hour)
}

func TestStop(t *testing.T) {
	s := open(t, t.TempDir())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	obeys, ignores := shell("echo x; sleep 300"), shell("trap '' TERM; echo x; while :; do sleep 300; done")
	for i, c := range []Command{obeys, ignores} {
		c.Files[1] = w
		p := begin(t, s, c)
		if _, err := r.Read(make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
		p.Stop([]time.Duration{time.Hour, 50 * time.Millisecond}[i])
		if got, want := p.State().String(), []string{"signal: terminated", "signal: killed"}[i]; got != want {
			t.Errorf("ended with %q, want %q", got, want)
		}
	}
	_ = w.Close()
}

func TestClose(t *testing.T) {
	s := open(t, t.TempDir())
	p := begin(t, s, shell("sleep 300"))
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if _, err := s.Start(shell("true")); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestNoSuchProgram(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Start(Command{Path: "/no/such/program", Args: []string{"x"}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestReachable follows the mode bits of owner, group and others.
func TestReachable(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	u, g := os.Getuid(), os.Getgid()
	owner, group, other := &User{u, g}, &User{u + 1, g}, &User{u + 1, g + 1}
	for _, tt := range []struct {
		mode                os.FileMode
		owner, group, other bool
	}{
		{0o755, true, true, true}, {0o750, true, true, false}, {0o700, true, false, false},
		{0o055, false, true, true}, {0o711, true, false, false}, {0o000, false, false, false},
	} {
		if err := os.Chmod(program, tt.mode); err != nil {
			t.Fatal(err)
		}
		for who, want := range map[*User]bool{owner: tt.owner, group: tt.group, other: tt.other} {
			if err := who.may(program, 0o5); (err == nil) != want {
				t.Errorf("mode %v, user %v: %v", tt.mode, *who, err)
			}
		}
	}
	if err := errors.Join(os.Chmod(program, 0o755), os.Chmod(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := other.Reachable(program); err == nil {
		t.Error("a program in a closed folder is said to be reachable")
	}
}
