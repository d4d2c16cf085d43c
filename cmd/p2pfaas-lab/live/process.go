package live

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience bounds the start of one node, and the time until all know each other.
const patience = time.Minute

// process is a node's process.
type process struct {
	peer, http, addr string

	cmd   *exec.Cmd
	log   string // the file it logs to
	ended chan struct{}
}

// launch starts a process and returns once it has said that it is ready.
func launch(s *starter, cmd *exec.Cmd, log string) (*process, error) {
	p := &process{cmd: cmd, log: log, ended: make(chan struct{})}
	file, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // the process has its own
	cmd.Stderr, cmd.SysProcAttr = file, attributes()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.start(cmd); err != nil {
		return nil, err
	}
	ready := make(chan string, 1)
	go p.follow(stdout, ready) // ends with the process
	return p, p.await(ready)
}

// follow passes on the first line, drains the rest and waits for the process.
func (p *process) follow(stdout io.Reader, ready chan<- string) {
	defer close(p.ended)
	r := bufio.NewReader(stdout)
	if line, err := r.ReadString('\n'); err == nil {
		ready <- line
	}
	close(ready)
	_, _ = io.Copy(io.Discard, r)
	_ = p.cmd.Wait()
}

// await reads the ready line, or ends the process.
func (p *process) await(ready <-chan string) error {
	select {
	case line := <-ready:
		if p.read(line) {
			return nil
		}
		p.kill()
		return fmt.Errorf("the node ended before it was ready%s", p.lastWords())
	case <-time.After(patience):
		p.kill()
		return fmt.Errorf("the node was not ready within %v%s", patience, p.lastWords())
	}
}

// read takes over what the ready line says; false if it is none.
func (p *process) read(line string) bool {
	for _, field := range strings.Fields(line) {
		switch key, value, _ := strings.Cut(field, "="); key {
		case "peer":
			p.peer = value
		case "http":
			p.http = value
		case "addresses":
			p.addr, _, _ = strings.Cut(value, ",")
		}
	}
	return p.peer != "" && p.http != "" && p.addr != ""
}

// lastWords are the end of what it has logged.
func (p *process) lastWords() string {
	const enough = 2000
	text, err := os.ReadFile(p.log)
	text = bytes.TrimSpace(text)
	if err != nil || len(text) == 0 {
		return ""
	}
	return ":\n" + string(text[max(0, len(text)-enough):])
}

// kill ends the process as a pulled plug would, and waits for its end.
func (p *process) kill() {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return // it is no more
	}
	<-p.ended
}
