package async

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// crashDir tells the test's own program to be the one that is killed.
const crashDir = "P2PFAAS_TEST_CRASH_DIR"

// crashIfAsked accepts calls as fast as it can, prints the ID of each that is
// acknowledged, runs them meanwhile, and does not end by itself.
func crashIfAsked() {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return
	}
	f := &function{answer: func(context.Context, *invoke.Request, []byte) (*invoke.Answer, error) {
		time.Sleep(5 * time.Millisecond)
		return said(200, strings.Repeat("r", 100)), nil
	}}
	e, err := New(Config{Self: self, Dir: dir, Invoker: f})
	if err != nil {
		panic(err)
	}
	_ = e.Start(context.Background()) // never fails
	var out sync.Mutex
	for i := range 8 {
		go func() { // ends with the process
			body := strings.Repeat("b", i*10<<10) // some in files
			for {
				s, _, err := e.Accept(context.Background(), callOf(async.Call{}, body), strings.NewReader(body))
				if err != nil {
					panic(err)
				}
				out.Lock()
				fmt.Println(s.ID)
				out.Unlock()
			}
		}()
	}
	select {}
}

// Killed at any moment, a node has lost no call that it has acknowledged.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	var ids []string
	for range 3 {
		ids = append(ids, crash(t, dir, 200)...)
	}
	e := open(t, Config{Dir: dir, Invoker: &function{}})
	for _, id := range ids {
		become(t, e, id, async.Done)
	}
	for _, n := range e.Stats().Calls {
		if n > len(ids)+3*8 { // what was stored, but not acknowledged any more
			t.Errorf("%d calls, %d were acknowledged", n, len(ids))
		}
	}
}

// crash runs the program until it has printed that many IDs, and kills it.
func crash(t *testing.T, dir string, most int) (ids []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if len(lines.Text()) == 32 {
			ids = append(ids, lines.Text())
		}
		if len(ids) == most {
			_ = cmd.Process.Kill() // the rest of what it wrote is read below
		}
	}
	_ = cmd.Wait() // killed
	if len(ids) < most {
		t.Fatalf("it ended after %d calls", len(ids))
	}
	return ids
}
