package child

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	logging "github.com/ipfs/go-log/v2"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

var log = logging.Logger("p2pfaas/child")

// ErrClosed: the Spawner starts no more processes.
var ErrClosed = errors.New("no more processes are started")

// Command is a process to be started.
type Command struct {
	Path string   // absolute, symbolic links resolved
	Args []string // the first is the name it is called by
	Env  []string // all of it: nothing is inherited
	// Files are standard input, output and error. Nil is the null device. The
	// caller closes them.
	Files [3]*os.File
	// RunAs is the user it runs as, nil for the node's own.
	RunAs *User
	// Account is charged for what it takes of the processors; nil: nobody is.
	Account *Account
	// Mounts is where it finds its files, nil for where the node does.
	Mounts *Mounts
	// Group is what it and its children are in from its first instruction on;
	// nil: the node's own.
	Group *cgroup.Group
}

// User is whom a process runs as, without further groups.
type User struct{ UID, GID int }

// Spawner starts processes and knows those that run.
type Spawner struct {
	ledger  *ledger
	starts  chan start
	grouped chan start // starts into a control group take longer: they have a thread of their own
	quit    chan struct{}
	ended   chan struct{} // closed when the threads have left

	mu      sync.Mutex // guards what follows
	closed  bool
	running map[*Process]struct{}
	reapers sync.WaitGroup
}

type start struct {
	cmd   Command
	reply chan<- started
}

type started struct {
	process *os.Process
	err     error
}

// Open kills what an earlier run left behind, which the ledger in dir tells,
// and begins a new one there.
func Open(dir string) (*Spawner, error) {
	l, err := openLedger(dir)
	if err != nil {
		return nil, fmt.Errorf("open ledger of child processes: %w", err)
	}
	s := &Spawner{
		ledger: l, starts: make(chan start), grouped: make(chan start), quit: make(chan struct{}), ended: make(chan struct{}),
		running: make(map[*Process]struct{}),
	}
	var threads sync.WaitGroup
	threads.Go(func() { s.serve(s.starts, startProcess) })
	threads.Go(func() { s.serve(s.grouped, startInGroup) })
	go func() {
		threads.Wait()
		close(s.ended)
	}()
	return s, nil
}

// serve starts processes until Close. It never unlocks its thread: the thread
// has given up privileges, and ends with the goroutine.
func (s *Spawner) serve(starts <-chan start, begin func(Command) (*os.Process, error)) {
	runtime.LockOSThread()
	confineThread()
	var here room
	defer here.close()
	for {
		select {
		case st := <-starts:
			var p *os.Process
			err := here.moveTo(st.cmd.Mounts)
			if err == nil {
				p, err = begin(st.cmd)
			}
			st.reply <- started{p, err}
		case <-s.quit:
			return
		}
	}
}

func startProcess(c Command) (*os.Process, error) { return startWith(c, attributes(c.RunAs)) }

func startWith(c Command, attr *syscall.SysProcAttr) (*os.Process, error) {
	files := c.Files[:]
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = null.Close() }()
	for i, f := range files {
		if f == nil {
			files[i] = null
		}
	}
	return os.StartProcess(c.Path, c.Args, &os.ProcAttr{Dir: "/", Env: c.Env, Files: files, Sys: attr})
}

// Start starts a process.
func (s *Spawner) Start(c Command) (*Process, error) {
	c.Env = append(c.Env, s.ledger.mark())
	reply := make(chan started, 1)
	starts := s.starts
	if c.Group != nil {
		starts = s.grouped
	}
	kills := c.Group.Kills()
	select {
	case starts <- start{c, reply}:
	case <-s.ended:
		return nil, ErrClosed
	}
	st := <-reply
	if st.err != nil {
		return nil, fmt.Errorf("start process: %w", st.err)
	}
	return s.adopt(st.process, c, kills)
}

func (s *Spawner) adopt(op *os.Process, c Command, kills int64) (*Process, error) {
	p := &Process{process: op, done: make(chan struct{}), meter: meter{at: time.Now()}, group: c.Group, killsBefore: kills}
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.running[p] = struct{}{}
		s.reapers.Add(1)
	}
	s.mu.Unlock()
	if closed {
		p.Kill()
		p.reap()
		return nil, ErrClosed
	}
	c.Account.Begin(p)
	go s.attend(p, c.Account)
	return p, nil
}

// attend ends with the process.
func (s *Spawner) attend(p *Process, account *Account) {
	defer s.reapers.Done()
	slot, err := s.ledger.add(p.PID())
	if err != nil {
		log.Warnw("child process is not in the ledger", "pid", p.PID(), "error", err)
	}
	p.reap()
	p.judge()
	account.End(p)
	s.ledger.remove(slot)
	s.mu.Lock()
	delete(s.running, p)
	s.mu.Unlock()
	close(p.done)
}

// Close kills what still runs and waits for it. It is idempotent.
func (s *Spawner) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	for p := range s.running {
		p.Kill()
	}
	s.mu.Unlock()
	s.reapers.Wait()
	if !first {
		<-s.ended
		return nil
	}
	close(s.quit)
	<-s.ended
	return s.ledger.close()
}
