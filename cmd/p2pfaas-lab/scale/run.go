package scale

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/node/mesh"
)

// Config says what is measured.
type Config struct {
	// Program is the path of p2pfaas-node.
	Program string
	// Crowd is the command, without arguments, that calls [Work]: they are the first
	// one's number, how many there are, and an address or "".
	Crowd func(first, count int, bootstrap string) *exec.Cmd
	// Nodes is how many there are in all; 2 at least.
	Nodes int
	// Settle is how long they are left alone before they are measured, and Time how
	// long that takes.
	Settle, Time time.Duration
	// Patience bounds the time until all know each other.
	Patience time.Duration
	// Dir is an empty folder for the node's data and the logs.
	Dir string
}

// Report is what it costs one of so many nodes to know the others. Rates are per
// second of the measurement.
type Report struct {
	Nodes int `json:"nodes"`
	// Joined is how long the node, which came last, took to know all, or as many as
	// it may have neighbours.
	Joined time.Duration `json:"joined_ns"`
	// CPU is the share of a core that the node took, CrowdCPU that of one member of
	// the crowd, which is no process of its own.
	CPU      float64 `json:"cpu"`
	CrowdCPU float64 `json:"crowd_cpu"`
	// Wire is what each sent and received, in bytes.
	Wire float64 `json:"wire_bytes"`
	// Reports is how many load reports that were news came to the node.
	Reports float64 `json:"reports"`
	// Members are those that the node is connected to, Neighbours those of them in
	// view.
	Members    int `json:"members"`
	Neighbours int `json:"neighbours"`
	// Resident is the node's memory, Anonymous that without pages of files, and
	// CrowdAnonymous that of one member of the crowd, in bytes.
	Resident       int64 `json:"resident_bytes"`
	Anonymous      int64 `json:"anonymous_bytes"`
	CrowdAnonymous int64 `json:"crowd_anonymous_bytes"`
	// Goroutines are the node's.
	Goroutines int `json:"goroutines"`
	// NotFound is how long the node took to say that nobody has a function, for which
	// it asks the DHT.
	NotFound time.Duration `json:"not_found_ns"`
}

// enough is how many members a node must know before it is measured: all of the
// others, or as many as it may have neighbours. In a large mesh the last ones are
// met much later, as nobody needs them.
func enough(others int) int { return min(others, mesh.DefaultMax) }

// perCrowd is how many extras share a process: each has a file open for each
// member, and 20 000 files are what a process may often have at most.
const perCrowd = 50

// run is one measurement.
type run struct {
	cfg    Config
	crowds []*process
	node   *node
	files  []*os.File
	least  atomic.Int64 // members that one of the crowd knew when last asked
}

// Run measures once. All processes that it starts have ended when it returns.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	r := &run{cfg: cfg}
	defer r.end()
	within, cancel := context.WithTimeoutCause(ctx, cfg.Patience, errImpatient)
	defer cancel()
	stop := context.AfterFunc(within, r.kill) // what waits for a process waits no longer
	defer stop()
	joined, err := r.meet(within)
	if err != nil {
		return nil, r.why(within, err)
	}
	if !stop() {
		return nil, r.why(within, err)
	}
	defer context.AfterFunc(ctx, r.kill)()
	return r.measure(ctx, joined)
}

var errImpatient = errors.New("the nodes did not know each other in time")

// why is what a run ended with: whatever fails after the processes were killed says
// nothing.
func (r *run) why(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errImpatient):
		return fmt.Errorf("%w: within %v one of %d knew %d only; give them longer (--patience), or a machine that does less", cause, r.cfg.Patience, r.cfg.Nodes, r.least.Load())
	case cause != nil:
		return cause
	}
	return err
}

// meet starts the crowd, then the node, and returns how long the node took to know
// enough, once all do.
func (r *run) meet(ctx context.Context) (time.Duration, error) {
	var bootstrap string
	for first := 0; first < r.cfg.Nodes-1; first += perCrowd {
		address, err := r.crowd(first, min(perCrowd, r.cfg.Nodes-1-first), bootstrap)
		if err != nil {
			return 0, err
		}
		if bootstrap == "" {
			bootstrap = address
		}
	}
	if err := r.wait(ctx, enough(r.cfg.Nodes-2)); err != nil {
		return 0, err
	}
	began := time.Now()
	n, err := r.startNode(bootstrap)
	if err != nil {
		return 0, err
	}
	r.node = n
	for {
		seen, err := n.metric("p2pfaas_members")
		if err != nil {
			return 0, err
		}
		if int(seen) >= enough(r.cfg.Nodes-1) {
			return time.Since(began), r.wait(ctx, enough(r.cfg.Nodes-1))
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func (r *run) crowd(first, count int, bootstrap string) (string, error) {
	p, err := r.begin("crowd"+strconv.Itoa(first), r.cfg.Crowd(first, count, bootstrap))
	if err != nil {
		return "", err
	}
	r.crowds = append(r.crowds, p)
	return p.line()
}

// begin starts a process that logs to a file of that name.
func (r *run) begin(name string, cmd *exec.Cmd) (*process, error) {
	log, err := os.Create(filepath.Join(r.cfg.Dir, name+".log"))
	if err != nil {
		return nil, err
	}
	r.files = append(r.files, log)
	return begin(cmd, log)
}

// wait returns when all of the crowd know so many members.
func (r *run) wait(ctx context.Context, members int) error {
	for _, c := range r.crowds {
		for {
			least, err := c.least()
			if err != nil {
				return err
			}
			r.least.Store(int64(least))
			if least >= members {
				break
			}
			if err := sleep(ctx, 250*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) kill() {
	for _, c := range r.crowds {
		_ = c.cmd.Process.Kill() // it may have ended
	}
	if r.node != nil {
		_ = r.node.cmd.Process.Kill()
	}
}

func (r *run) end() {
	for _, c := range r.crowds {
		c.kill()
	}
	if r.node != nil {
		r.node.kill()
	}
	for _, f := range r.files {
		_ = f.Close() // the processes wrote to it, which are gone
	}
}
