package async

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/load"
)

var log = logging.Logger("p2pfaas/node/async")

// Mesh is what an Engine wants of the other nodes. The last five methods are
// those of protocol/async's client.
type Mesh interface {
	// Members are the connected nodes.
	Members() []peer.ID
	// Named is the node whose KeyOf that is, connected or not, if it was ever met.
	Named(key load.Key) (peer.ID, bool)

	Keep(ctx context.Context, p peer.ID, c async.Call, body io.Reader) error
	Forget(ctx context.Context, p peer.ID, id string) error
	Find(ctx context.Context, p peer.ID, id string, wantResult bool) (async.Status, io.ReadCloser, error)
	Cancel(ctx context.Context, p peer.ID, id string) (async.Status, error)
	Alive(ctx context.Context, p peer.ID, ids []string) ([]string, error)
}

// Config of an Engine. Self, Dir and Invoker are required; the zero value of the
// others means their default.
type Config struct {
	Self    peer.ID
	Dir     string // made if missing; of this Engine alone
	Invoker gateway.Invoker
	// Mesh is nil for a node that is alone.
	Mesh Mesh
	// Retry is how a function's calls are tried again; nil: DefaultRetry for all.
	Retry func(function string) RetryPolicy
	// Room tells whether one more call of the function could start at once,
	// somewhere, without anybody having to wait for it. Nil: always.
	Room func(function string) bool

	// Copies is how many nodes store a call before it is acknowledged, 1 or 2.
	// Default 1.
	Copies int
	// Keep is how long an answer can be asked for, default 1 h; KeepDead how long
	// a dead letter is listed, default 7 days.
	Keep, KeepDead time.Duration
	// Disk bounds what calls take on disk, bytes. Default 1 GB. Answers give way
	// to new calls, the oldest first.
	Disk int64
	// Calls bounds the calls that have not ended and the dead letters. Default
	// 100 000. As many that have ended are remembered.
	Calls int
	// Running bounds the calls under way, and the callbacks likewise. Default 256.
	Running int
	// Takeover is how long a holder must have been gone before the keeper of the
	// copy runs it, default 30 s.
	Takeover time.Duration
	// Callbacks is how callbacks are tried again; Codes are not looked at. The
	// default is 10 attempts from 1 s to 2 min.
	Callbacks RetryPolicy
	// Post carries callbacks; nil: a transport of the Engine's own.
	Post http.RoundTripper

	// Tests change what follows.
	fault      func(op string) error // an error that a write shall fail with
	retryWrite time.Duration         // until an outcome that the disk did not take is written again, default 1 s
	fullPause  time.Duration         // until a call whose answer found no room runs again, default 10 s
	sweepEvery time.Duration         // until the janitor looks again, default 2 s
}

func (c Config) withDefaults() Config {
	or := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&c.Keep, time.Hour)
	or(&c.KeepDead, 7*24*time.Hour)
	or(&c.Takeover, 30*time.Second)
	or(&c.retryWrite, time.Second)
	or(&c.fullPause, 10*time.Second)
	or(&c.sweepEvery, 2*time.Second)
	if c.Disk <= 0 {
		c.Disk = 1 << 30
	}
	if c.Calls <= 0 {
		c.Calls = 100_000
	}
	if c.Running <= 0 {
		c.Running = 256
	}
	if c.Callbacks.Attempts <= 0 {
		c.Callbacks = RetryPolicy{Attempts: 10, MinWait: time.Second, MaxWait: 2 * time.Minute}
	}
	if c.Retry == nil {
		c.Retry = func(string) RetryPolicy { return DefaultRetry() }
	}
	if c.Room == nil {
		c.Room = func(string) bool { return true }
	}
	if c.Mesh == nil {
		c.Mesh = alone{}
	}
	return c
}

// Engine keeps and runs asynchronous calls. Make it with New.
type Engine struct {
	cfg     Config
	store   *store
	space   space
	poster  http.Client
	counts  counts
	unsaved atomic.Int64 // outcomes that could not be written yet

	mu      sync.Mutex
	seq     uint64
	calls   map[string]*entry
	byState map[async.State]int
	copies  int
	lines   map[string]*line
	order   []string // the lines' names, in the order in which they get their turn
	later   delayed
	ended   []waiting // calls that are over, the first to end first
	missing map[string]time.Time
	quiet   bool
	wake    chan struct{}

	run     context.Context // ends with Close
	stop    context.CancelCauseFunc
	workers sync.WaitGroup
	closing sync.Once
	err     error
}

// errClosing is the cause of what Close cancels: it is no outcome of a call.
var errClosing = errors.New("the node ends")

// New makes an Engine and opens its store; nothing runs before Start.
func New(cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	s, err := openStore(cfg.Dir, cfg.fault)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, store: s, space: space{limit: cfg.Disk},
		calls: map[string]*entry{}, byState: map[async.State]int{}, lines: map[string]*line{},
		missing: map[string]time.Time{}, wake: make(chan struct{}, 1),
	}
	e.run, e.stop = context.WithCancelCause(context.Background())
	e.poster = newPoster(cfg.Post)
	if err := e.recover(time.Now()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return e, nil
}

// Start begins to run what waits. ctx bounds nothing: starting does not wait.
func (e *Engine) Start(context.Context) error {
	e.workers.Go(e.foreman) // both end with Close
	e.workers.Go(e.janitor)
	return nil
}

// Quiesce starts no further call and posts no further callback; what is under
// way goes on, and calls are still accepted.
func (e *Engine) Quiesce() {
	e.mu.Lock()
	e.quiet = true
	e.mu.Unlock()
}

// Close ends what is under way, without an outcome: the next start runs it
// again. It waits for all goroutines, and closes the store. A second call
// returns what the first did.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		e.Quiesce()
		e.stop(errClosing)
		e.workers.Wait()
		e.poster.CloseIdleConnections()
		e.err = e.store.close()
	})
	return e.err
}

func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}
