// Package process runs the parts of the benchmark that are measured from
// outside: it starts them, waits until they say that they are ready, and reads
// what they have used from the kernel.
//
// A child prints one line, "ready key=value …", on its standard output when it
// can be called, as p2pfaas-node does. It ends on SIGTERM, and when the process
// that started it ends.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience bounds starting and ending.
const patience = 30 * time.Second

// Process is a child that is ready, or has ended.
type Process struct {
	// Ready holds the fields of the line that it printed when it was ready.
	Ready map[string]string

	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	ask   sync.Mutex // one question at a time
	ended chan struct{}
	err   error // of Wait, once ended is closed
}

// Launch runs a program that does not say when it is ready.
func Launch(program string, args ...string) (*Process, error) {
	p, err := spawn(program, args)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return p, nil
}

// Start runs a program and returns when it is ready.
func Start(ctx context.Context, program string, args ...string) (*Process, error) {
	p, err := spawn(program, args)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	stop := context.AfterFunc(ctx, p.kill)
	timer := time.AfterFunc(patience, p.kill)
	line, err := p.out.ReadString('\n')
	timer.Stop()
	stop()
	if err == nil {
		p.Ready, err = parseReady(line)
	}
	if err != nil {
		p.kill()
		<-p.ended
		return nil, fmt.Errorf("start %s %s: it was not ready: %w", program, strings.Join(args, " "), errors.Join(err, p.err))
	}
	return p, nil
}

func spawn(program string, args []string) (*Process, error) {
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = childOf()
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, in: in, out: bufio.NewReader(out), ended: make(chan struct{})}
	go func() { // ends with the process
		p.err = p.wait()
		close(p.ended)
	}()
	return p, nil
}

// wait is Wait without closing the pipe that a reader may still be at.
func (p *Process) wait() error {
	state, err := p.cmd.Process.Wait()
	if err == nil && !state.Success() {
		err = errors.New(state.String())
	}
	return err
}

// parseReady takes a line "ready key=value …" apart.
func parseReady(line string) (map[string]string, error) {
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != "ready" {
		return nil, fmt.Errorf("unexpected line %q", line)
	}
	fields := map[string]string{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		fields[key] = value
	}
	return fields, nil
}

// ID is the process's number.
func (p *Process) ID() int { return p.cmd.Process.Pid }

// Ask writes a line to the child and returns the line that it answers.
func (p *Process) Ask(question string) (string, error) {
	p.ask.Lock()
	defer p.ask.Unlock()
	if _, err := io.WriteString(p.in, question+"\n"); err != nil {
		return "", err
	}
	line, err := p.out.ReadString('\n')
	return strings.TrimSpace(line), err
}

// Ended tells whether the process has ended, and how.
func (p *Process) Ended() (bool, error) {
	select {
	case <-p.ended:
		return true, p.err
	default:
		return false, nil
	}
}

// Stop asks the process to end, and makes it after a while. It returns when it has.
func (p *Process) Stop() error {
	if ended, _ := p.Ended(); ended {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	timer := time.AfterFunc(patience, p.kill)
	defer timer.Stop()
	<-p.ended
	_ = p.in.Close()
	return nil
}

func (p *Process) kill() { _ = p.cmd.Process.Kill() }
