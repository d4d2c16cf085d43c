//go:build linux

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// board is a control group with as much memory as a small machine has.
type board struct {
	*cgroup.Group
	t   *testing.T
	dir string
}

func newBoard(t *testing.T, memory int64) *board {
	t.Helper()
	nodetest.Need(t, nodetest.ControlGroups)
	b := &board{t: t, dir: t.TempDir()}
	h := cgroup.Open("p2pfaas-e2e-"+strconv.Itoa(os.Getpid()), b.dir)
	t.Cleanup(func() { _ = h.Close() }) // complains of what the group's removal has
	var err error
	if b.Group, err = h.New("board", cgroup.Limits{Memory: memory}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Remove(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Prefix implements [nodetest.Machine]: the process says who it is, and goes on
// when it is in the group, so that the program never sees another machine.
func (b *board) Prefix() []string {
	go b.admit() // ends when there is a process, or none for a long time
	return []string{"/bin/sh", "-c", `echo $$ > "$0/new" && mv "$0/new" "$0/pid"; until [ -e "$0/go" ]; do sleep 0.02; done; exec "$@"`, b.dir}
}

func (b *board) admit() {
	for end := time.Now().Add(nodetest.Patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(b.dir, "pid"))
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil {
			err = b.Add(pid)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(b.dir, "go"), nil, 0o600)
		}
		if err != nil {
			b.t.Errorf("put the node into its group: %v", err)
		}
		return
	}
}

// Dial implements [nodetest.Machine].
func (b *board) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, addr)
}

const mb = 1 << 20

// A node in 256 MB and on one core knows how small its machine is, takes little of
// it, and answers all of 2000 calls of 64 KB, 32 at once, half of which come from a
// peer.
func TestSmallMachine(t *testing.T) {
	board := newBoard(t, 256*mb)
	small := nodetest.Start(t, nodetest.Spec{Program: program, In: board, Env: []string{"GOMAXPROCS=1"}, Flags: []string{
		"--http", "127.0.0.1:0", "--listen", transports["tcp"], "--mdns=false", "--openfaas-url", "none", "--mesh", "e2e"}})
	var info struct {
		P2pfaas struct{ Preset string } `json:"p2pfaas"`
	}
	if err := small.Get("/system/info", &info); err != nil || info.P2pfaas.Preset != "small" {
		t.Errorf("in 256 MB the preset is %q (%v)", info.P2pfaas.Preset, err)
	}
	big := node(t, "tcp", []*nodetest.Process{small})
	sees(t, small, big)
	sees(t, big, small)
	// 45 MB and 20 MB are what it may take; some more is for how machines differ.
	if all, anonymous := small.Resident(), small.Memory(); all > 55*mb || anonymous > 25*mb {
		t.Errorf("an idle node takes %.1f MB, %.1f MB of them anonymous", float64(all)/mb, float64(anonymous)/mb)
	} else {
		t.Logf("idle: %.1f MB, %.1f MB of them anonymous", float64(all)/mb, float64(anonymous)/mb)
	}
	deploy(t, small, "echo", "builtin:echo", []*nodetest.Process{small, big}, "--annotation", "p2pfaas.weight=0.02")
	echoAll(t, []*nodetest.Process{small, big}, 2000, 32, 64<<10)
	if board.Kills() > 0 {
		t.Error("the kernel killed a process for want of memory")
	}
	t.Logf("after the calls: %.1f MB, %.1f MB of them anonymous, at most %.1f MB", float64(small.Resident())/mb, float64(small.Memory())/mb, float64(small.PeakMemory())/mb)
	if peak := small.PeakMemory(); peak > 128*mb {
		t.Errorf("the node took %.1f MB at times", float64(peak)/mb)
	}
}

// echoAll sends calls to the nodes in turn and wants each body back.
func echoAll(t *testing.T, to []*nodetest.Process, calls, atOnce, size int) {
	t.Helper()
	client := &http.Client{Timeout: nodetest.Patience, Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
	defer client.CloseIdleConnections()
	numbers := make(chan int)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := range numbers {
				if err := echoOne(client, to[i%len(to)], i, size); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			}
		})
	}
	for i := range calls {
		numbers <- i
	}
	close(numbers)
	all.Wait()
}

func echoOne(client *http.Client, p *nodetest.Process, number, size int) error {
	body := bytes.Repeat([]byte{byte(number)}, size)
	resp, err := client.Post("http://"+p.HTTP+"/function/echo", "application/octet-stream", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || !bytes.Equal(answer, body)) {
		err = fmt.Errorf("status %d and %d bytes: %.200s", resp.StatusCode, len(answer), answer)
	}
	return err
}
