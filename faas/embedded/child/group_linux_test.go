package child

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

// limited is a control group of the machine's own, or the test is skipped.
func limited(t *testing.T, l cgroup.Limits) *cgroup.Group {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make control groups")
	}
	h := cgroup.Open("p2pfaas-test-child", t.TempDir())
	if err := errors.Join(h.Memory(), h.CPU()); err != nil {
		t.Skipf("this machine has no control groups to limit with: %v", err)
	}
	g, err := h.New("f", l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.Remove(), h.Close()); err != nil {
			t.Error(err)
		}
	})
	return g
}

// TestGroup: a process is in its group from its first instruction on, and with
// it all that it starts, however many begin at once.
func TestGroup(t *testing.T) {
	g := limited(t, cgroup.Limits{Memory: 64 << 20, CPU: 2000})
	s := open(t, t.TempDir())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			r, w, err := os.Pipe()
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = r.Close() }()
			c := shell("cat /proc/$$/cgroup; (cat /proc/self/cgroup)")
			c.Files, c.Group = [3]*os.File{nil, w, w}, g
			p, err := s.Start(c)
			_ = w.Close()
			if err != nil {
				t.Error(err)
				return
			}
			said, err := io.ReadAll(r)
			<-p.Done()
			if got := strings.Count(string(said), "p2pfaas-test-child/1-f"); err != nil || got != 4 && got != 2 || !p.State().Success() { // 2 with one hierarchy for all
				t.Errorf("%d times in the group, %v, %s:\n%s", got, err, p.Exit(), said)
			}
		})
	}
	all.Wait()
	if _, err := s.Start(Command{Path: "/bin/absent", Args: []string{"absent"}, Group: g}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestExit: who was killed for its memory is told so, others are not.
func TestExit(t *testing.T) {
	g := limited(t, cgroup.Limits{Memory: 16 << 20})
	s := open(t, t.TempDir())
	for _, tt := range []struct{ script, exit string }{
		{"exit 0", "exit status 0"}, {"exit 137", "exit status 137"}, {"kill -9 $$", "signal: killed"},
		{"x=0123456789abcdef; while :; do x=$x$x; done", "signal: killed: it exceeded its memory limit of 16Mi"},
		{"kill -9 $$", "signal: killed"},
	} {
		c := shell(tt.script)
		c.Group = g
		p := begin(t, s, c)
		<-p.Done()
		if got := p.Exit(); got != tt.exit {
			t.Errorf("%s: %s, want %s", tt.script, got, tt.exit)
		}
	}
}
