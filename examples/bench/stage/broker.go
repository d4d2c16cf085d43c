package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/call"
	"github.com/p2pfaas/p2pfaas/examples/bench/process"
)

// ErrMissing says that this machine lacks what a path needs.
var ErrMissing = errors.New("missing")

// broker is Debian's nats-server.
func (s *Stage) broker() (Part, error) {
	program, err := exec.LookPath("nats-server")
	if err != nil {
		return Part{}, fmt.Errorf("%w: nats-server (Debian: apt-get install nats-server)", ErrMissing)
	}
	return s.once("broker", func() (Part, error) {
		conf := s.folder("nats.conf")
		text := fmt.Sprintf("max_payload: %d\nmax_pending: %d\n", call.MaxMessage, 4*call.MaxMessage)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			return Part{}, err
		}
		p, err := process.Launch(program, "-c", conf, "-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", s.dir, "-l", s.folder("nats.log"))
		if err != nil {
			return Part{}, err
		}
		addr, err := s.brokerAddr(p)
		if err != nil {
			return Part{}, errors.Join(err, p.Stop())
		}
		return Part{Process: p, Addr: addr}, nil
	})
}

// brokerAddr waits until the broker has written where it listens.
func (s *Stage) brokerAddr(p *process.Process) (string, error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ended, err := p.Ended(); ended {
			return "", fmt.Errorf("nats-server ended: %w", err)
		}
		names, err := filepath.Glob(s.folder("nats-server_*.ports"))
		if err != nil {
			return "", err
		}
		if len(names) == 0 {
			continue
		}
		if addr, err := readPorts(names[0]); err == nil {
			return addr, nil
		}
	}
	return "", fmt.Errorf("nats-server was not ready after %v", patience)
}

func readPorts(name string) (string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	var ports struct {
		NATS []string `json:"nats"`
	}
	if err := json.Unmarshal(text, &ports); err != nil {
		return "", err
	}
	if len(ports.NATS) == 0 {
		return "", fmt.Errorf("%s names no port", name)
	}
	return strings.TrimPrefix(ports.NATS[0], "nats://"), nil
}
