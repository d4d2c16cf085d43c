package nodetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience bounds what a test waits for; far more than it should take, since
// machines that run tests are slow at times.
const Patience = 30 * time.Second

// Process is a p2pfaas-node that runs as a process of its own.
type Process struct {
	Peer  string   // peer ID
	HTTP  string   // host:port
	Addrs []string // multiaddrs with the peer ID
	Data  string   // its data folder

	t      testing.TB
	cmd    *exec.Cmd
	prefix []string
	http   http.Client
	log    lockedBuffer
	ended  chan struct{}
	err    error // of Wait, once ended is closed
}

// Machine is where a Process runs: see [Network.Machine].
type Machine interface {
	// Prefix is what to put before a command to run it there.
	Prefix() []string
	// Dial connects from there.
	Dial(ctx context.Context, network, addr string) (net.Conn, error)
}

// Spec says how to start a Process.
type Spec struct {
	// Program is the path of p2pfaas-node.
	Program string
	// Data is its data folder; "" makes one.
	Data string
	// Flags follow "run --data DIR".
	Flags []string
	// Env is added to the environment.
	Env []string
	// In is the machine to run on; nil is the test's own.
	In Machine
}

// Start runs a node and returns when it is ready. It is killed when the test
// ends; what it logged is shown if the test has failed.
func Start(t testing.TB, s Spec) *Process {
	t.Helper()
	p := &Process{t: t, Data: s.Data, ended: make(chan struct{})}
	if p.Data == "" {
		p.Data = filepath.Join(t.TempDir(), "data")
	}
	p.http.Timeout = Patience
	if s.In != nil {
		p.prefix = s.In.Prefix()
		p.http.Transport = &http.Transport{DialContext: s.In.Dial, DisableKeepAlives: true}
	}
	args := append([]string{s.Program, "run", "--data", p.Data}, s.Flags...)
	args = append(p.prefix, args...)
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), s.Env...)
	p.cmd.Stderr = &p.log
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", s.Program, err)
	}
	t.Cleanup(p.cleanup)
	ready := make(chan string, 1)
	go p.follow(stdout, ready) // ends with the process
	select {
	case line, ok := <-ready:
		if !ok {
			t.Fatalf("the node ended before it was ready: %v\n%s", p.err, p.log.String())
		}
		p.readReady(line)
	case <-time.After(Patience):
		t.Fatalf("the node was not ready after %v\n%s", Patience, p.log.String())
	}
	return p
}

// follow passes on the first line, drains the rest and waits for the process.
func (p *Process) follow(stdout io.Reader, ready chan<- string) {
	r := bufio.NewReader(stdout)
	line, err := r.ReadString('\n')
	if err == nil {
		ready <- line
		_, _ = io.Copy(&p.log, r)
	}
	p.err = p.cmd.Wait()
	close(p.ended)
	if err != nil {
		close(ready)
	}
}

func (p *Process) readReady(line string) {
	for _, field := range strings.Fields(line) {
		switch key, value, _ := strings.Cut(field, "="); key {
		case "peer":
			p.Peer = value
		case "http":
			p.HTTP = strings.Replace(value, "[::]", "127.0.0.1", 1)
		case "addresses":
			p.Addrs = strings.Split(value, ",")
		}
	}
	if p.Peer == "" || p.HTTP == "" || len(p.Addrs) == 0 {
		p.t.Fatalf("unexpected ready line %q", line)
	}
}

// Signal sends a signal to the node alone.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("signal %v: %v", s, err)
	}
}

// Freeze stops the node as a hung machine would, and returns when none of its
// threads runs any more: a signal's delivery takes a while on a busy machine.
func (p *Process) Freeze() {
	p.t.Helper()
	p.Signal(syscall.SIGSTOP)
	Eventually(p.t, "the node is frozen", func() error {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.PID()))
		for _, stat := range threads {
			text, _ := os.ReadFile(stat)
			if _, state, ok := strings.Cut(string(text), ") "); ok && state[0] != 'T' {
				return fmt.Errorf("a thread is in state %c", state[0])
			}
		}
		return err
	})
}

// Thaw lets a frozen node go on.
func (p *Process) Thaw() { p.t.Helper(); p.Signal(syscall.SIGCONT) }

// Stop asks the node to end, waits for it and returns its exit error.
func (p *Process) Stop() error {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	return p.Wait()
}

// Kill ends the node as a pulled plug would.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(syscall.SIGKILL)
	_ = p.Wait()
}

// Wait returns the node's exit error once it has ended.
func (p *Process) Wait() error {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(2 * Patience):
		p.t.Fatalf("the node did not end within %v", 2*Patience)
		return nil
	}
}

func (p *Process) cleanup() {
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	_ = p.cmd.Process.Kill()
	<-p.ended
	if p.t.Failed() {
		p.t.Logf("node %s logged:\n%s", p.Peer, p.log.String())
	}
}

// Log is what the node has logged so far.
func (p *Process) Log() string { return p.log.String() }

// PID is the node's process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Memory is the node's resident memory in bytes, its anonymous part alone.
func (p *Process) Memory() int64 { return p.status("RssAnon:") }

// Resident is the node's resident memory in bytes, file-backed pages included.
func (p *Process) Resident() int64 { return p.status("VmRSS:") }

// PeakMemory is the most that was ever resident, in bytes, file-backed pages
// included.
func (p *Process) PeakMemory() int64 { return p.status("VmHWM:") }

func (p *Process) status(name string) int64 {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	p.t.Fatalf("no %s in /proc status", name)
	return 0
}

// Files counts the node's open file descriptors.
func (p *Process) Files() int {
	p.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(entries)
}

// Get asks the node's HTTP API, with its credentials, and decodes the JSON answer.
func (p *Process) Get(path string, into any) error {
	body, err := p.read(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// Header is the header of the node's answer to a GET, whatever its status.
func (p *Process) Header(path string) (http.Header, error) {
	resp, err := p.get(path)
	if err != nil {
		return nil, err
	}
	return resp.Header, resp.Body.Close()
}

func (p *Process) get(path string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+p.HTTP+path, nil)
	if err != nil {
		return nil, err
	}
	user, password := p.Credentials()
	req.SetBasicAuth(user, password)
	return p.http.Do(req)
}

func (p *Process) read(path string) ([]byte, error) {
	resp, err := p.get(path)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", path, resp.StatusCode, body)
	}
	return body, err
}

// Credentials are the user and password that the node made at its first start.
func (p *Process) Credentials() (user, password string) {
	p.t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(p.Data, name))
		if err != nil {
			p.t.Fatal(err)
		}
		return strings.TrimSpace(string(b))
	}
	return read("basic-auth-user"), read("basic-auth-password")
}

// Metric is the value of a metric without labels, as /metrics shows it.
func (p *Process) Metric(name string) float64 {
	p.t.Helper()
	body, err := p.read("/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return v
		}
	}
	p.t.Fatalf("no metric %s", name)
	return 0
}

// MetricsLike are the lines of /metrics that begin with a match of the pattern.
func (p *Process) MetricsLike(pattern string) string {
	p.t.Helper()
	body, err := p.read("/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Join(regexp.MustCompile("(?m)^"+pattern+".*$").FindAllString(string(body), -1), "\n")
}

// Eventually polls until check returns nil, and fails the test if it never does.
func Eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: still not after %v: %v", what, Patience, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// lockedBuffer collects output that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
