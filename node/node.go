package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/faas/embedded"
	"github.com/p2pfaas/p2pfaas/node/async"
	nodecontrol "github.com/p2pfaas/p2pfaas/node/control"
	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/node/learner"
	"github.com/p2pfaas/p2pfaas/node/mesh"
	"github.com/p2pfaas/p2pfaas/node/plainhttp"
	wireasync "github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/protocol/pull"
	"github.com/p2pfaas/p2pfaas/sched"
)

var log = logging.Logger("p2pfaas/node")

// Node is one member of the mesh. Make it with New.
type Node struct {
	cfg         Config
	room        room
	preset      preset
	self        peer.ID
	incarnation uint64
	policies    sched.Registry
	scheduling  scheduling
	model       []byte           // of the policy in force, as last written; guarded by scheduling.mu
	lock        *os.File         // of the data folder
	credentials *api.Credentials // nil: everyone is let in

	host        *host.Host
	backend     faas.Runtime // what runs the functions; see runtime.go
	runtimeName string
	runtime     faas.Runtime // the backend, checked
	dispatcher  *dispatcher
	weigher     weigher
	mesh        *mesh.Mesh
	answers     *nodecontrol.Handlers
	control     *control.Server
	client      *invoke.Client
	peers       *invoke.Server
	asks        *pull.Client
	asked       *pull.Server
	stopPulls   context.CancelFunc

	sharer  *sharer
	learner *learner.Client // asks the one that is configured; nil without
	served  *learner.Server // answers others, at /act and the like; nil without
	// servedModel is what its learner knew when that was last read or written.
	servedModel []byte

	async         *async.Engine
	asyncServer   *wireasync.Server
	acquaintances *acquaintances
	unsubscribe   func()

	server   http.Server
	http     *plainhttp.Server // before server
	httpAddr string
	serving  sync.WaitGroup
	closing  sync.Once
	closeErr error
}

// Ready is what a started node says of itself.
type Ready struct {
	PeerID  string   `json:"peer"`
	Addrs   []string `json:"addresses"`
	HTTP    string   `json:"http"`
	Mesh    string   `json:"mesh"`
	Runtime string   `json:"runtime"`
	Policy  string   `json:"policy"`
	Preset  string   `json:"preset"`
}

// New checks the configuration, reads or makes what the node keeps on disk,
// and puts the parts together. Nothing listens or runs before Start.
func New(cfg Config) (*Node, error) { return NewWith(cfg, Parts{}) }

// Parts are what a program that embeds a node gives it instead of what the
// configuration says. A zero field changes nothing.
type Parts struct {
	// Host makes the last changes to the libp2p host's configuration.
	Host func(*host.Config)
	// Runtime runs the functions. The node starts it, if it has a method
	// Start(context.Context) error, and closes it.
	Runtime faas.Runtime
	// Policies are those that can be had by name. Nil: those of package sched.
	Policies sched.Registry
	// Learner is served to P2PFaaS's clients at /act, /train and /learner/, and asked by
	// the policy external where no other is configured. Nil: there is none.
	Learner learner.Learner
}

// NewWith is [New] with some parts of the caller's.
func NewWith(cfg Config, parts Parts) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, policies: parts.Policies, room: ownRoom()}
	n.http = plainhttp.New(&n.server, gateway.Prefix, func(ctx context.Context, c plainhttp.Conn) context.Context {
		return gateway.ConnContext(ctx, c)
	})
	n.preset = presetFor(cfg.Preset, n.room)
	if n.policies == nil {
		n.policies = sched.Policies()
	}
	if _, err := n.policies.New(cfg.Policy, cfg.PolicySet); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if err := n.load(); err != nil {
		_ = n.lock.Close() // nil or not; nothing is written to it here
		return nil, err
	}
	if err := n.assemble(parts); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// load reads what is kept in the data folder.
func (n *Node) load() (err error) {
	if n.cfg.DataDir, err = filepath.Abs(n.cfg.DataDir); err != nil {
		return err
	}
	// Not listable, but passable: functions run as another user, below it.
	if err := os.MkdirAll(n.cfg.DataDir, 0o711); err != nil {
		return fmt.Errorf("make the data folder (choose another with --data): %w", err)
	}
	if n.lock, err = lockData(n.cfg.DataDir); err != nil {
		return err
	}
	if n.incarnation, err = host.NextIncarnation(filepath.Join(n.cfg.DataDir, "incarnation")); err != nil {
		return err
	}
	if dir := n.cfg.CredentialsDir(); dir != "" {
		user, password, err := api.LoadCredentials(dir)
		if err != nil {
			return err
		}
		n.credentials = &api.Credentials{User: user, Password: password}
	}
	if n.cfg.Exe == "" {
		n.cfg.Exe, err = os.Executable()
	}
	return err
}

// assemble makes the parts, from the leaves up.
func (n *Node) assemble(parts Parts) (err error) {
	d := n.newDispatcher()
	n.dispatcher = d
	n.openLearner(parts.Learner)
	if err := n.restoreScheduling(); err != nil {
		return err
	}
	n.weigher = weigher{functions: d.functions, clock: d.clock}
	if err := n.firstRuntime(parts.Runtime); err != nil {
		return err
	}
	if n.host, err = n.newHost(parts.Host); err != nil {
		return err
	}
	n.self = n.host.Libp2p().ID()
	d.self, d.via = n.self, gateway.Via(n.self.String())
	if n.mesh, err = mesh.New(n.meshConfig()); err != nil {
		return err
	}
	d.mesh = n.mesh
	n.answers = n.newAnswers()
	n.control = control.NewServer(n.host.Libp2p(), n.answers.Protocol(), n.host.Access())
	config := invoke.Config{NoDial: true, Streams: n.preset.streams, News: n.mesh.Source(), Heard: n.mesh}
	n.client = invoke.NewClient(n.host.Libp2p(), config)
	d.client = overStreams{n.client}
	n.peers = invoke.NewServer(n.host.Libp2p(), d, gate{n.host.Access()}, config)
	n.asks = pull.NewClient(n.host.Libp2p(), n.mesh.Source(), n.mesh)
	n.asked = pull.NewServer(n.host.Libp2p(), d.Asked, n.mayPull, n.mesh.Source(), n.mesh)
	d.asker = n.asks
	d.metrics.watch(d)
	n.sharer = newSharer(n)
	n.watchLimits()
	return n.openAsync()
}

func (n *Node) newDispatcher() *dispatcher {
	clock := sinceStart()
	return &dispatcher{
		zone:      n.cfg.Zone,
		clock:     clock,
		retry:     n.cfg.Retry,
		alarms:    &alarms{clock: clock},
		functions: newFunctions(nil),
		slots:     newSlots(n.slotsConfig(), clock),
		policy:    newPolicyBox(n.policies),
		care:      newCare(),
		running:   newRunning(),
		budget:    &replayBudget{limit: n.preset.replay},
		metrics:   newMetrics(),
		records:   newRecords(n.preset.calls, clock),
	}
}

func (n *Node) slotsConfig() slotsConfig {
	c := slotsConfig{servers: cmp.Or(n.cfg.Servers, n.room.cores), maxOpen: cmp.Or(n.cfg.MaxOpen, n.preset.maxOpen)}
	if n.cfg.Queue >= 0 {
		c.queue = sched.QueueConfig{MaxCount: n.cfg.Queue, Exact: true}
	}
	return c
}

func (n *Node) embeddedConfig() embedded.Config {
	c := embedded.Default(n.cfg.DataDir)
	c.Exe, c.Aliases, c.Version = n.cfg.Exe, n.cfg.ImageAlias, n.cfg.Version
	c.Changed = n.functionsChanged
	c.WasmDirs = n.cfg.WasmDirs
	if len(n.cfg.ExecPath) > 0 {
		c.ExecPath = n.cfg.ExecPath
	}
	return c
}

// firstRuntime is the given one, or else the node's own until Start chooses.
func (n *Node) firstRuntime(given faas.Runtime) error {
	if given != nil {
		n.useRuntime(given, runtimeGiven)
		return nil
	}
	inside, err := embedded.New(n.embeddedConfig())
	if err != nil {
		return err
	}
	n.useRuntime(inside, runtimeEmbedded)
	return nil
}

func (n *Node) newHost(change func(*host.Config)) (*host.Host, error) {
	key, err := host.LoadIdentity(n.cfg.IdentityFile())
	if err != nil {
		return nil, err
	}
	c := host.Default()
	c.Key, c.Mesh, c.MDNS, c.DHT = key, n.cfg.Mesh, n.cfg.MDNS, n.cfg.DHT
	c.PeersFile = filepath.Join(n.cfg.DataDir, "peers.json")
	c.UserAgent = "p2pfaas/" + n.cfg.Version
	c.Hello = n.hello
	c.Small, c.Limits.Memory = n.preset.small, host.ShareOf(n.room.memory)
	if c.Port, err = keptPort(n.portFile()); err != nil {
		return nil, err
	}
	for _, a := range n.cfg.Listen {
		addr, err := multiaddr.NewMultiaddr(a)
		if err != nil {
			return nil, fmt.Errorf("listen address %s: %w", a, err)
		}
		c.Listen = append(c.Listen, addr)
	}
	if c.Bootstrap, err = host.ParseAddrInfos(n.cfg.Bootstrap); err != nil {
		return nil, err
	}
	if change != nil {
		change(&c)
	}
	return host.New(c)
}

func (n *Node) meshConfig() mesh.Config {
	c := mesh.Config{
		Host:        n.host,
		Mesh:        n.cfg.Mesh,
		Incarnation: n.incarnation,
		Period:      n.cfg.Gossip,
		Max:         n.preset.neighbours,
		Degree:      n.preset.degree,
		Self:        n.dispatcher.report,
		Functions:   n.dispatcher.functions.offered,
		Draining:    n.takesNothing,
		Gate: func(ctx context.Context, p peer.ID) error {
			return n.host.Access().Allow(ctx, p, host.VerbDiscover, "")
		},
		Heard: n.dispatcher.heard,
		Now:   n.dispatcher.clock,
	}
	if n.cfg.DHT {
		c.Directory = n.host
	}
	return c
}

// mayPull tells whether a peer may ask for work.
func (n *Node) mayPull(ctx context.Context, p peer.ID) error {
	return n.host.Access().Allow(ctx, p, host.VerbPull, "")
}

// functionsChanged makes a change of the deployments known here and in the mesh.
func (n *Node) functionsChanged(ctx context.Context) error {
	if err := n.dispatcher.functions.reload(ctx); err != nil {
		return err
	}
	n.mesh.FunctionsChanged()
	return nil
}

// Start opens everything, the ways in last. ctx bounds the start only.
func (n *Node) Start(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if err := n.startRuntime(ctx); err != nil {
		return err
	}
	if meter, ok := n.backend.(faas.Meter); ok {
		n.weigher.start(meter)
	}
	n.peers.Start()
	n.control.Start()
	n.asked.Start()
	if n.learner != nil {
		n.learner.Start()
	}
	if err := n.mesh.Start(ctx); err != nil {
		return fmt.Errorf("start the mesh: %w", err)
	}
	if err := n.host.Start(ctx); err != nil {
		return fmt.Errorf("start the libp2p host (--listen names other addresses): %w", err)
	}
	if len(n.cfg.Listen) == 0 {
		if err := keepPort(n.portFile(), n.host.Port()); err != nil {
			return err
		}
	}
	if err := n.startAsync(ctx); err != nil {
		return err
	}
	n.startPulling()
	return n.listenHTTP(ctx)
}

// startPulling asks for work elsewhere from now on, until the node closes.
func (n *Node) startPulling() {
	var ctx context.Context
	ctx, n.stopPulls = context.WithCancel(context.Background())
	n.serving.Go(func() { n.dispatcher.pulling(ctx) })
	n.serving.Go(func() { n.remembering(ctx) })
	n.serving.Go(func() { n.watchLearning(ctx) })
	n.serving.Go(func() { n.sharer.run(ctx) })
}

// Ready tells how a started node is reached.
func (n *Node) Ready() Ready {
	r := Ready{PeerID: n.self.String(), HTTP: n.httpAddr, Mesh: n.cfg.Mesh, Runtime: n.runtimeName, Policy: n.dispatcher.policy.name(), Preset: n.preset.name}
	for _, a := range n.host.Addrs() {
		r.Addrs = append(r.Addrs, a.String())
	}
	return r
}
