package embedded_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// needLimits skips the test where the machine has no control groups to limit
// with, which a function's note tells.
func (b *bed) needLimits() {
	b.Helper()
	if os.Geteuid() != 0 {
		b.Skip("only root can make control groups")
	}
	b.deploy(faas.Function{Name: named("limited"), Image: "exec:/bin/cat /proc/self/cgroup", Limits: &faas.Resources{Memory: "64Mi", CPU: "1"}})
	if note := b.status("limited").Note; strings.Contains(note, "limits not enforced") {
		b.Skip("this machine has no control groups to limit with: " + note)
	}
}

// groups are the control groups of this test's Runtime.
func (b *bed) groups() (folders []string) {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "run", "cgroups"))
	if err != nil {
		return nil
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		entries, _ := os.ReadDir(line)
		for _, e := range entries {
			if e.IsDir() {
				folders = append(folders, filepath.Join(line, e.Name()))
			}
		}
	}
	return folders
}

const hog = "x=0123456789abcdef; while :; do x=$x$x; done"

// TestForkedMemory: also what a function's process has forked counts, and who
// exceeds the limit is told.
func TestForkedMemory(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.needLimits()
	limits := &faas.Resources{Memory: "16Mi"}
	for name, script := range map[string]string{"own": hog, "child": "(" + hog + "); exit $?"} {
		b.deploy(faas.Function{Name: named(name), Image: "exec:" + b.script(name, script), Limits: limits})
		resp, body, err := b.get(name)
		if err != nil || resp.Status != 500 || !strings.Contains(body, "exceeded its memory limit of 16Mi") {
			t.Errorf("%s: %v %q, %v", name, resp, body, err)
		}
	}
	b.deploy(faas.Function{Name: named("modest"), Image: "exec:" + b.script("modest", "exit 137"), Limits: limits})
	if _, body, err := b.get("modest"); err != nil || strings.Contains(body, "memory") {
		t.Errorf("%q, %v", body, err)
	}
}

// TestKeptMemory: a replica that exceeds its limit is started again, and both
// the call and the note tell why.
func TestKeptMemory(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.needLimits()
	b.deploy(faas.Function{Name: named("hog"), Image: "serve:" + b.script("hog", hog), Limits: &faas.Resources{Memory: "16Mi"}})
	until(t, "the note tells", func() bool { return strings.Contains(b.status("hog").Note, "exceeded its memory limit of 16Mi") })
	b.deploy(faas.Function{Name: named("echo"), Image: "builtin:echo", Limits: &faas.Resources{Memory: "64Mi", CPU: "500m"}})
	if err := b.rt.Scale(t.Context(), named("echo"), 2); err != nil {
		t.Fatal(err)
	}
	until(t, "2 replicas", func() bool { return b.status("echo").AvailableReplicas == 2 })
	if st := b.status("echo"); b.usage("echo").Memory <= 0 || strings.Contains(st.Note, "not enforced") {
		t.Errorf("status %+v", st)
	}
}

// TestDyingCall: the call that a process died of says how it did.
func TestDyingCall(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("hello"), Image: "builtin:sleep"})
	b.mustGet("hello")
	failed := make(chan error, 1)
	go func() {
		_, _, err := b.call(&faas.Request{Name: named("hello"), Method: "GET", Query: "d=1m"})
		failed <- err
	}()
	until(t, "it runs", func() bool { return b.status("hello").Invocations == 2 })
	for _, pid := range childrenNamed(t, "builtin\x00sleep\x00") {
		kill(t, pid)
	}
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "ended with signal: killed") {
		t.Errorf("error %v", err)
	}
}

// childrenNamed are the children of this process with such arguments.
func childrenNamed(t *testing.T, args string) (pids []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list, _ := os.ReadFile("/proc/self/task/" + e.Name() + "/children")
		for _, pid := range strings.Fields(string(list)) {
			if line, _ := os.ReadFile("/proc/" + pid + "/cmdline"); strings.HasSuffix(string(line), args) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// TestCPULimit: a tenth of a core is what a function gets, with its children.
func TestCPULimit(t *testing.T) {
	b := newBed(t)
	b.needLimits()
	needThreadTimes(t)
	b.deploy(faas.Function{
		Name: named("busy"), Image: "exec:" + b.script("busy", "for i in 1 2; do timeout 1.5 sh -c 'while :; do :; done' & done; wait"),
		Limits: &faas.Resources{CPU: "100m"},
	})
	begun := time.Now()
	b.mustGet("busy")
	took := time.Since(begun)
	if used := b.cpu("busy").Used; used > took/3 {
		t.Errorf("used %v in %v", used, took)
	}
}

// TestGroupsEnd: control groups end with what they limit.
func TestGroupsEnd(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.needLimits()
	limits := &faas.Resources{Memory: "64Mi", CPU: "1"}
	if body := b.mustGet("limited"); !strings.Contains(body, "limited."+faas.DefaultNamespace) && !strings.Contains(body, "-limited") {
		t.Errorf("a limited function is in %s", body)
	}
	forked := len(b.groups())
	b.deploy(faas.Function{Name: named("kept"), Image: "builtin:echo", Limits: limits})
	b.mustGet("kept")
	one := len(b.groups()) - forked
	if forked == 0 || one == 0 {
		t.Fatalf("%d and %d groups: this tests nothing", forked, one)
	}
	if err := b.rt.Scale(t.Context(), named("kept"), 3); err != nil {
		t.Fatal(err)
	}
	until(t, "a group for each replica", func() bool { return len(b.groups()) == forked+3*one })
	if err := b.rt.Scale(t.Context(), named("kept"), 0); err != nil {
		t.Fatal(err)
	}
	until(t, "no group for none", func() bool { return len(b.groups()) == forked })
	b.deploy(faas.Function{Name: named("limited"), Image: "exec:/bin/cat"})
	until(t, "no group without a limit", func() bool { return len(b.groups()) == 0 })
}

// TestGroupsOfKilledNode: the next node removes them, and what escaped into them.
func TestGroupsOfKilledNode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := &bed{t, dir, start(t, testConfig(dir))}
	b.needLimits()
	b.deploy(faas.Function{Name: named("kept"), Image: "serve:" + b.script("kept", "setsid sleep 300 & wait"), Limits: &faas.Resources{Memory: "64Mi"}})
	if err := b.rt.Close(); err != nil {
		t.Fatal(err)
	}
	if left := b.groups(); len(left) != 0 {
		t.Errorf("%v outlived the Runtime", left)
	}
	node := exec.Command(os.Args[0], "runtime", dir)
	node.Stderr = os.Stderr
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	until(t, "it has groups", func() bool { return len(b.groups()) > 2 })
	if err := node.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = node.Wait()
	left := b.groups()
	if len(left) == 0 {
		t.Error("nothing is left: this tests nothing")
	}
	b.rt = start(t, testConfig(dir))
	if err := b.rt.Close(); err != nil {
		t.Fatal(err)
	}
	for _, folder := range left {
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s is left", folder)
		}
	}
}
