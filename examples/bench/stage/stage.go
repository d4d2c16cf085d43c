// Package stage starts what the paths need: the function, the rivals' hops and
// the product's nodes, each in a process of its own, each once; and relays that
// put distance in between.
package stage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/process"
)

// Config says what the stage is made of.
type Config struct {
	Self     string        // this program, which plays the roles of package hop
	Node     string        // p2pfaas-node
	Servers  int           // of each node
	LogLevel string        // of the nodes
	Before   string        // another version of it, for the paths "before"
	Delay    time.Duration // each way between the client and the hop; 0: no relays
}

// Stage is what runs. It is used by one goroutine.
type Stage struct {
	Config
	ctx    context.Context // of the run
	dir    string
	trust  *tls.Config
	parts  map[string]Part
	starts []Part // in the order they were started
}

// Part is a process of the stage.
type Part struct {
	*process.Process
	Addr string // host:port where it is called
	node *node  // of the product
}

// New makes a stage; Close ends it.
func New(ctx context.Context, c Config) (*Stage, error) {
	dir, err := os.MkdirTemp("", "p2pfaas-bench-")
	if err != nil {
		return nil, err
	}
	s := &Stage{Config: c, ctx: ctx, dir: dir, parts: map[string]Part{}}
	if s.trust, err = MakeCertificate(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("make a certificate: %w", err), os.RemoveAll(dir))
	}
	return s, nil
}

// Trust is the TLS configuration for clients of the stage's servers.
func (s *Stage) Trust() *tls.Config { return s.trust.Clone() }

// Function is where the function listens.
func (s *Stage) Function() (Part, error) { return s.role("function", "function", "") }

// role starts one of package hop's roles, unless a part of that name runs.
func (s *Stage) role(name, role, to string, flags ...string) (Part, error) {
	return s.once(name, func() (Part, error) {
		args := append([]string{"-role", role, "-to", to}, flags...)
		p, err := process.Start(s.ctx, s.Self, args...)
		if err != nil {
			return Part{}, fmt.Errorf("role %s: %w", role, err)
		}
		return Part{Process: p, Addr: p.Ready["addr"]}, nil
	})
}

// withTLS are the flags of a role that listens with TLS, or trusts it.
func (s *Stage) withTLS() []string { return []string{"-certificate", s.dir} }

// once starts a part unless it runs already.
func (s *Stage) once(name string, start func() (Part, error)) (Part, error) {
	if p, ok := s.parts[name]; ok {
		return p, nil
	}
	p, err := start()
	if err != nil {
		return Part{}, err
	}
	s.parts[name] = p
	s.starts = append(s.starts, p)
	return p, nil
}

// KeepAwake keeps the cores from sleeping until the stage ends.
func (s *Stage) KeepAwake() error {
	_, err := s.role("spin", "spin", "")
	return err
}

// away is an address that leads to addr over the stage's distance.
func (s *Stage) away(addr string) (string, error) {
	if s.Delay == 0 {
		return addr, nil
	}
	p, err := s.role("relay to "+addr, "relay", addr, "-delay", s.Delay.String())
	return p.Addr, err
}

// Died is an error if one of the processes has ended by itself.
func (s *Stage) Died() error {
	var all error
	for name, p := range s.parts {
		if ended, err := p.Ended(); ended {
			all = errors.Join(all, fmt.Errorf("%s ended: %w", name, err))
		}
	}
	return all
}

// Close ends all processes, the latest first, and waits.
func (s *Stage) Close() error {
	var err error
	for i := len(s.starts) - 1; i >= 0; i-- {
		err = errors.Join(err, s.starts[i].Stop())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *Stage) folder(name string) string { return filepath.Join(s.dir, name) }
