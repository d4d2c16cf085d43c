package child

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stranger is a process in a group of its own that no Spawner started.
func stranger(t *testing.T, env ...string) (pid int, ended <-chan error) {
	t.Helper()
	c := exec.Command("/bin/sleep", "300")
	c.Env = env
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c.Process.Pid, done
}

func ledgerText(boot string, records ...string) string {
	lines := append([]string{boot + " RUN"}, records...)
	for i, l := range lines {
		lines[i] = fmt.Sprintf("%-*s\n", recordSize-1, l)
	}
	return strings.Join(lines, "")
}

// TestLeftovers: only what an earlier run certainly started is killed.
func TestLeftovers(t *testing.T) {
	tests := []struct {
		name   string
		boot   string
		shift  uint64 // added to the recorded start time
		killed bool
	}{
		{"left behind", bootID(), 0, true},
		{"process id of somebody else", bootID(), ^uint64(0) - 1, false}, // an earlier process had it
		{"recorded later than it started", bootID(), 1000, false},
		{"before a reboot", "another-boot", 0, false},
		{"unreadable", "", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pid, ended := stranger(t)
			st, err := readStat(pid)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			text := ledgerText(tt.boot, "", fmt.Sprintf("%d %d", pid, st.start+tt.shift), "nonsense", "-1 5", "1 1")
			if err := os.WriteFile(filepath.Join(dir, ledgerName), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			open(t, dir)
			select {
			case <-ended:
				if !tt.killed {
					t.Error("a stranger was killed")
				}
			case <-time.After(map[bool]time.Duration{true: 30 * time.Second, false: 100 * time.Millisecond}[tt.killed]):
				if tt.killed {
					t.Error("it still runs")
				}
			}
		})
	}
}

// TestMarkedLeftover: also who is not in the ledger, or in a group whose leader
// is gone, is known by the mark.
func TestMarkedLeftover(t *testing.T) {
	for _, mark := range []string{"P2PFAAS_RUN=RUN", "P2PFAAS_RUN=OTHER"} {
		pid, _ := stranger(t, mark)
		st, err := readStat(pid)
		if err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(30 * time.Second)
		for !carries(pid, mark) && time.Now().Before(until) { // its exec may not be done
			time.Sleep(time.Millisecond)
		}
		const gone = 1 << 30 // no process id is so large
		for _, group := range []int{st.group, gone} {
			st.group = group
			got := leftover(pid, st, map[int]uint64{gone: st.start}, "P2PFAAS_RUN=RUN")
			if want := mark == "P2PFAAS_RUN=RUN"; got != want {
				t.Errorf("%s: leftover %v, want %v", mark, got, want)
			}
		}
	}
}

// TestLedger: what runs is in the file, what has ended is not, and places are
// used again.
func TestLedger(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for range 5 {
		p := begin(t, s, shell("exit 0"))
		<-p.Done()
	}
	p := begin(t, s, shell("sleep 300"))
	deadline := time.Now().Add(30 * time.Second)
	for {
		text, err := os.ReadFile(filepath.Join(dir, ledgerName))
		if err != nil {
			t.Fatal(err)
		}
		records := strings.Fields(string(text))
		if len(records) == 4 && records[2] == fmt.Sprint(p.PID()) && len(text) == 2*recordSize {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("ledger holds %q", records)
		}
		time.Sleep(time.Millisecond)
	}
	p.Kill()
	<-p.Done()
}

// TestMarked: descendants carry the run's mark.
func TestMarked(t *testing.T) {
	s := open(t, t.TempDir())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := shell("env")
	c.Files[1] = w
	<-begin(t, s, c).Done()
	_ = w.Close()
	text := make([]byte, 4096)
	n, err := r.Read(text)
	_ = r.Close()
	if err != nil || !strings.Contains(string(text[:n]), s.ledger.mark()) {
		t.Errorf("environment %q, error %v", text[:n], err)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("1234 (a) b) S 1 77 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 999 20")
	f.Add(")")
	f.Fuzz(func(t *testing.T, s string) {
		if st, err := parseStat(s); err != nil && st != (stat{}) {
			t.Errorf("%q: %+v with error %v", s, st, err)
		}
	})
}

func TestParseStat(t *testing.T) {
	st, err := parseStat("1234 (a) S 1 2) R 1 77 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 999 20\n")
	if want := (stat{77, (11 + 12 + 13 + 14) * tick, 999}); st != want || err != nil {
		t.Errorf("%+v, %v", st, err)
	}
	for _, s := range []string{"", "1 (x) S 1 77", "1 (x) S 1 g 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 999"} {
		if _, err := parseStat(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}
