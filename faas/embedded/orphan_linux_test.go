package embedded_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
)

// TestNoOrphans: a node that is killed takes its functions along, and the next
// one ends what they had started themselves.
func TestNoOrphans(t *testing.T) {
	dir := t.TempDir()
	pids := filepath.Join(dir, "pids")
	if err := errors.Join(os.WriteFile(pids, nil, 0o666), os.Chmod(pids, 0o666)); err != nil {
		t.Fatal(err)
	}
	b := &bed{t, dir, start(t, testConfig(dir))}
	b.deploy(faas.Function{Name: named("parent"), Image: "serve:" + b.script("parent", "sleep 300 & echo $$ $! >> "+pids+"; wait")})
	until(t, "the function runs", func() bool { return len(lines(pids)) == 2 })
	if err := b.rt.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(pids, 0); err != nil {
		t.Fatal(err)
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
	until(t, "the function runs again", func() bool { return len(lines(pids)) == 2 })
	if err := node.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = node.Wait()
	leader, grandchild := lines(pids)[0], lines(pids)[1]
	until(t, "the function died with its node", func() bool { return !alive(leader) })
	if !alive(grandchild) {
		t.Log("the grandchild died as well: nothing is left to be found")
	}

	b.rt = start(t, testConfig(dir))
	until(t, "the grandchild is killed", func() bool { return !alive(grandchild) })
}
