package mesh

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	logging "github.com/ipfs/go-log/v2"
	corehost "github.com/libp2p/go-libp2p/core/host"

	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/sched"
)

var log = logging.Logger("p2pfaas/mesh")

// DefaultMax is how many neighbours a node has at most; SmallMax on a machine
// with less than 1 GB of memory.
const (
	DefaultMax = 64
	SmallMax   = 32
)

// Host is what the mesh needs of a *host.Host.
type Host interface {
	Libp2p() corehost.Host
	// Subscribe calls fn for each member that comes or goes, one at a time.
	Subscribe(fn func(host.Event)) (unsubscribe func())
}

// Config of a Mesh. Functions that it holds are called often and from several
// goroutines; none may call the Mesh.
type Config struct {
	// Host is required.
	Host Host
	// Mesh is its name, which the gossip topic bears.
	Mesh string
	// Incarnation is the node's, stored and growing with each start; at least 1.
	Incarnation uint64
	// Period is the mean time between two reports on the topic; 0 is automatic:
	// 1 s, or N/5 s in a mesh of N nodes if that is longer, so that what a node
	// hears stays at 5 reports a second. N is the members, or who is heard on the
	// topic once there are as many members as it may have neighbours.
	Period time.Duration
	// Self is this node's load now. Required, and MUST be cheap: it is asked for
	// every message.
	Self func() sched.Load
	// Functions is what this node runs now. Required.
	Functions func() []Function
	// Draining tells whether this node takes no more work; nil is never.
	Draining func() bool
	// Max is how many neighbours to have at most; 0 is DefaultMax.
	Max int
	// Degree is how many members pass the topic's reports on to this node, and it
	// to them; 0 is load.DefaultDegree.
	Degree int
	// Directory finds functions that no member runs, and has others find this
	// node's; nil leaves it at members.
	Directory Directory
	// Gate says who may ask for our load, and may wait for a hello; nil lets all
	// in. See host.Access.Allow with host.VerbDiscover.
	Gate load.Gate
	// Heard is told each neighbour's load when a report of its own arrives; for
	// policies that are sched.Notified. May be nil.
	Heard func(n sched.News)
	// Now is a monotonic clock whose zero is arbitrary: that of sched.View. nil
	// counts from New; see Mesh.Now.
	Now func() time.Duration
}

// Mesh is this node's knowledge of its neighbours. Its methods may be called
// from several goroutines.
type Mesh struct {
	cfg     Config
	host    corehost.Host
	now     func() time.Duration
	topic   *load.Topic
	prober  *load.Prober
	server  *load.Server
	control *control.Client

	counter     atomic.Uint64 // of our last report
	ownDigest   atomic.Uint64
	utilisation atomic.Uint64 // bits of a float64
	leaving     atomic.Bool
	others      others
	finder      *finder
	wake        chan struct{} // the keeper has something to look at

	mu    sync.RWMutex // guards table and all that it holds
	table table

	life        sync.Mutex // guards the fields below; Start and Close
	state       lifecycle
	cancel      context.CancelFunc
	unsubscribe func()
	work        sync.WaitGroup
}

type lifecycle uint8

const (
	made lifecycle = iota
	started
	closed
)

// ErrClosed means that the Mesh was started twice, or closed.
var ErrClosed = errors.New("mesh already started or closed")

// New returns a Mesh that is not yet open.
func New(cfg Config) (*Mesh, error) {
	if cfg.Host == nil || cfg.Self == nil || cfg.Functions == nil || cfg.Mesh == "" || cfg.Incarnation == 0 {
		return nil, errors.New("mesh: Host, Mesh, Incarnation, Self and Functions are all needed")
	}
	m := &Mesh{cfg: cfg.withDefaults(), host: cfg.Host.Libp2p(), wake: make(chan struct{}, 1), finder: newFinder()}
	m.now = m.cfg.Now
	m.table.init(m.cfg.Max)
	m.prober = load.NewProber(m.host, m.Source())
	m.server = load.NewServer(m.host, m.Source(), m, cfg.Gate)
	m.control = control.NewClient(m.host)
	topic, err := load.NewTopic(m.host, load.TopicConfig{
		Mesh: cfg.Mesh, Own: m.report, Hear: m.hearTopic, Member: m.IsMember, Period: m.period, Degree: cfg.Degree,
	})
	m.topic = topic
	return m, err
}

func (c Config) withDefaults() Config {
	if c.Max <= 0 {
		c.Max = DefaultMax
	}
	if c.Draining == nil {
		c.Draining = func() bool { return false }
	}
	if c.Now == nil {
		start := time.Now()
		c.Now = func() time.Duration { return time.Since(start) }
	}
	return c
}

// Start joins the topic, answers probes and listens for members. Call it before
// the host starts, which tells peers the protocols that there are then.
func (m *Mesh) Start(ctx context.Context) error {
	m.life.Lock()
	defer m.life.Unlock()
	if m.state != made {
		return fmt.Errorf("start mesh: %w", ErrClosed)
	}
	m.advertise(m.own())
	if err := m.topic.Start(ctx); err != nil {
		return fmt.Errorf("start mesh: %w", err)
	}
	m.state = started
	m.server.Start()
	run, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	m.work.Add(1)
	go func() { defer m.work.Done(); m.keep(run) }()
	m.unsubscribe = m.cfg.Host.Subscribe(m.member)
	return nil
}

// Close tells the others that this node leaves, ends everything and waits.
func (m *Mesh) Close() error {
	m.life.Lock()
	defer m.life.Unlock()
	m.finder.close()
	if m.state != started {
		m.state = closed
		return nil
	}
	m.state = closed
	m.leaving.Store(true)
	m.unsubscribe()
	m.cancel()
	m.work.Wait()
	return errors.Join(m.topic.Close(), m.server.Close(), m.prober.Close())
}

// Now is the clock of sched.Neighbour's times.
func (m *Mesh) Now() time.Duration { return m.now() }

// period is the mean time between two of our reports on the topic.
func (m *Mesh) period() time.Duration {
	if m.cfg.Period > 0 {
		return m.cfg.Period
	}
	const reportsPerSecond = 5
	m.mu.RLock()
	n := len(m.table.members)
	m.mu.RUnlock()
	if n >= m.cfg.Max {
		// A node connects to a hundred members or so, but hears all. Where there are
		// fewer it is connected to all, and need not believe how many it hears.
		n = max(n, m.topic.Signers())
	}
	return max(time.Second, time.Duration(n+1)*time.Second/reportsPerSecond)
}

// fresh is the age beyond which a neighbour is no candidate, unless its own
// period is longer. The caller holds no lock.
func (m *Mesh) fresh() time.Duration { return max(10*time.Second, 3*m.period()) }
