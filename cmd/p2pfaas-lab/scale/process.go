package scale

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// process is one of those that are measured, or a crowd.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	log *os.File
}

// begin starts a process, which is killed when this one ends.
func begin(cmd *exec.Cmd, log *os.File) (*process, error) {
	p := &process{cmd: cmd, log: log}
	cmd.Stderr, cmd.SysProcAttr = log, withUs()
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	return p, cmd.Start()
}

// line is the next one that the process says.
func (p *process) line() (string, error) {
	line, err := p.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("process %d ended or said nothing more: %w%s", p.cmd.Process.Pid, err, p.lastWords())
	}
	return strings.TrimSpace(line), nil
}

// lastWords are the end of what it has logged.
func (p *process) lastWords() string {
	const enough = 1000
	text, err := os.ReadFile(p.log.Name())
	if err != nil || len(text) == 0 {
		return ""
	}
	return ":\n" + strings.TrimSpace(string(text[max(0, len(text)-enough):]))
}

// least asks a crowd.
func (p *process) least() (int, error) {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return 0, fmt.Errorf("ask process %d: %w%s", p.cmd.Process.Pid, err, p.lastWords())
	}
	line, err := p.line()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(line)
}

// kill ends it: nothing here has to be kept.
func (p *process) kill() {
	if err := p.cmd.Process.Kill(); err == nil || errors.Is(err, os.ErrProcessDone) {
		_ = p.cmd.Wait() // killed, as it says
	}
}
