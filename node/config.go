package node

import (
	"os"
	"path/filepath"
	"time"
)

// Config is how one node behaves. Start from [Default]: the zero value of most
// fields is not what you want. Each field with a toml tag is also a flag of
// "p2pfaas-node run", a key of its --config file and, in capitals with "_" for
// "-" and P2PFAAS_ before it, an environment variable, all of that tag's name.
type Config struct {
	// DataDir holds what outlives the process: identity, store, remembered
	// peers, deployments, credentials. Made at first start, for its owner only.
	// Default [DefaultDataDir]. Two nodes never share one: they would have the
	// same identity.
	DataDir string `toml:"data"`

	// HTTP is where the gateway listens, "HOST:PORT"; without a host on all
	// interfaces. Port 0 takes a free one. Default ":18080". Without TLS: who is
	// on that network reads the calls, so bind it to 127.0.0.1 where that matters.
	// "none" opens no port: the node runs what its peers send. See [Node.Handler].
	HTTP string `toml:"http"`

	// Listen are the multiaddrs where peers reach this node. Default (empty): TCP
	// and QUIC at port 18081 of all interfaces, IPv4 and IPv6, or at a free port
	// where 18081 is taken. QUIC passes NATs and lossy links better, TCP costs
	// less CPU: peers try TCP first.
	Listen []string `toml:"listen"`

	// Mesh names the mesh to join, 1 to 32 of a-z, 0-9 and "-". Nodes of other
	// meshes are refused. Default "default".
	Mesh string `toml:"mesh"`

	// TokenFile would close the mesh to holders of its token. Not in this
	// version: [Config.Validate] refuses it rather than leave a mesh open that
	// is believed closed. Default "": the mesh is open to whoever is on a
	// private, link-local or loopback address.
	TokenFile string `toml:"token"`

	// Bootstrap are multiaddrs, with /p2p/ID, of nodes to dial at start; needed
	// only for those that mDNS does not reach (other networks). Default none.
	Bootstrap []string `toml:"bootstrap"`

	// MDNS finds the nodes of the local network by multicast DNS. Default true.
	// Without it only Bootstrap and remembered peers are dialled, and whom these know.
	MDNS bool `toml:"mdns"`

	// DHT takes part in the mesh's own distributed hash table: nodes that know one
	// node in common find each other, and functions are found on nodes that are no
	// neighbours. It has nothing to do with public ones. Default true.
	DHT bool `toml:"dht"`

	// OpenFaaSURL is the OpenFaaS gateway whose functions this node runs, down or
	// not: http or https, with "user:password@" before the host if need be.
	// Default "": the one at http://127.0.0.1:8080 if it answers at start, else
	// functions run inside the node. "none": inside the node, whatever answers.
	OpenFaaSURL string `toml:"openfaas-url"`

	// OpenFaaSAuth is the folder of that gateway's credentials, the files
	// basic-auth-user and basic-auth-password; or "none". Default "": where
	// OpenFaaS and faasd mount them (/var/openfaas/secrets, /run/secrets,
	// /var/lib/faasd/secrets), if they are there. Those of the URL go first.
	OpenFaaSAuth string `toml:"openfaas-auth"`

	// Samples deploys the built-in functions (hello, echo, sleep, …) at start.
	// Default false.
	Samples bool `toml:"samples"`

	// Policy decides where an invocation runs, by its name in package sched.
	// Default "spread".
	Policy string `toml:"policy"`

	// PolicySet are parameters of the Policy, as "loss = 0.5". Default none; a
	// parameter that the Policy does not have is an error at start.
	PolicySet map[string]string `toml:"set"`

	// Learner is the URL of the learner that the policy external asks and that takes
	// its rewards: http or https, P2PFaaS's learner or one with the same API. Default
	// "": the one that this node serves itself.
	Learner string `toml:"learner"`

	// LearnerSocket is the URL of that learner's streaming socket, ws or wss: questions
	// go there. Default "": over HTTP.
	LearnerSocket string `toml:"learner-socket"`

	// Preset is how much of the machine the node takes where nothing else is
	// configured: neighbours, kept streams, windows, bodies and calls kept, and
	// MaxOpen. "small" is for boards and containers with less than 1 GB of memory,
	// or one core and less than 2 GB, "standard" for all others. Default "auto": as
	// memory and cores suggest, those that the control group or GOMEMLIMIT grants.
	Preset string `toml:"preset"`

	// Servers bounds the weighted work that runs at once. Default 0: the number
	// of CPU cores that the node may use. More lets functions that mostly wait overlap, and makes those
	// that compute slow each other down.
	Servers int `toml:"servers"`

	// Queue bounds the invocations that wait for a server. Default -1: as many
	// as can start within their deadline (10 s without one), at most 1024. A
	// number from 0 is exact, for experiments.
	Queue int `toml:"queue"`

	// Order says who of the waiting is served first: "fifo", "deadline" (the
	// earliest) or "moore-hodgson" (the earliest, leaving aside as few as possible of
	// those that cannot all be on time). Default "": as the policy wants it.
	Order string `toml:"order"`

	// MaxOpen bounds the invocations that stream for longer than 5 s: they have
	// given their server back and only hold a connection. Default 0: by the Preset,
	// 1024 or, small, 256; about 100 KB of memory each.
	MaxOpen int `toml:"max-open"`

	// Gossip is the period of load reports to all neighbours, 100 ms to 1 min.
	// Default 0: max(1 s, N/5 s) with N nodes in view. Shorter is fresher and costs
	// traffic that grows with N; busy links carry fresher news anyway.
	Gossip time.Duration `toml:"gossip"`

	// AsyncCopies is how many nodes have an asynchronous call on disk before it is
	// acknowledged: 1 (default), or 2, so that it outlives the loss of this node.
	// Calls are refused with 503 while there is no second node.
	AsyncCopies int `toml:"async-copies"`

	// AsyncKeep is how long the answer of an asynchronous call can be asked for.
	// Default 1 h.
	AsyncKeep time.Duration `toml:"async-keep"`

	// AsyncKeepDead is how long an asynchronous call all of whose attempts failed is
	// listed and can be queued again. Default 7 days.
	AsyncKeepDead time.Duration `toml:"async-keep-dead"`

	// AsyncDisk bounds what asynchronous calls and their answers take on disk, in
	// MB; calls beyond it are refused with 507. Default 1024. One request may take
	// half of it, one answer a quarter.
	AsyncDisk int `toml:"async-disk"`

	// AsyncCalls bounds the asynchronous calls that wait, run, failed for good or
	// are copies; those beyond it are refused with 429. Default 100 000, about 300
	// bytes of memory each.
	AsyncCalls int `toml:"async-calls"`

	// Auth is the folder of the HTTP credentials, the files basic-auth-user and
	// basic-auth-password as in OpenFaaS, made with a random password where they
	// are missing; or "none", which lets everyone who reaches HTTP deploy and
	// remove functions. Default "": DataDir. See [Config.CredentialsDir].
	Auth string `toml:"auth"`

	// ImageAlias maps a deployment's image to what runs it here, as
	// "ghcr.io/me/thumb:1" = "serve:/opt/thumb". Default none.
	ImageAlias map[string]string `toml:"image-alias"`

	// ExecPath are the folders below which programs may be run as functions.
	// Default (empty): DATA/bin and the system's bin folders. Whoever holds the
	// credentials runs any program that lies there.
	ExecPath []string `toml:"exec-path"`

	// WasmDirs are the folders of which WASI modules may be granted parts to read,
	// by the annotation p2pfaas.wasi.dirs. Default none: a module sees no files but
	// its secrets.
	WasmDirs []string `toml:"wasm-dir"`

	// Retry says which invocations may be tried again when nobody can tell
	// whether they ran: "idempotent" (default; by method, header or annotation),
	// "always" (may run one twice) or "never".
	Retry string `toml:"retry"`

	// Drain bounds how long a node that was asked to end goes on answering what
	// it has begun. Default 30 s; 0 ends at once.
	Drain time.Duration `toml:"drain"`

	// LogLevel is "debug", "info" (default), "warn" or "error". Debug writes
	// lines per invocation.
	LogLevel string `toml:"log-level"`

	// Compat answers every call with P2PFaaS's headers and error codes. Default
	// false: only those that carry one of its X-P2pfaas-Scheduler- headers.
	Compat bool `toml:"compat"`

	// Zone is a label for nodes that are close to each other, at most 64 of
	// letters, digits, ".", "_" and "-"; peers see it and policies may prefer
	// their own. Default "".
	Zone string `toml:"zone"`

	// Exe is the program that runs "builtin NAME" for built-in functions.
	// Default "": the running program itself (os.Executable).
	Exe string `toml:"-"`

	// Version is what peers and /system/info are told of this software.
	Version string `toml:"-"`
}

// HTTPNone as Config.HTTP opens no HTTP port.
const HTTPNone = "none"

// AuthNone as Config.Auth switches HTTP authentication off.
const AuthNone = "none"

// Values of Config.Retry.
const (
	RetryIdempotent = "idempotent"
	RetryAlways     = "always"
	RetryNever      = "never"
)

// Default is the Config of a node for which nothing was configured.
func Default() Config {
	return Config{
		DataDir: DefaultDataDir(),
		HTTP:    ":18080",
		Mesh:    "default",
		MDNS:    true,
		DHT:     true,
		Policy:  "spread",
		Preset:  PresetAuto,
		Queue:   -1,

		AsyncCopies: 1, AsyncKeep: time.Hour, AsyncKeepDead: 7 * 24 * time.Hour,
		AsyncDisk: 1024, AsyncCalls: 100_000,

		Retry:    RetryIdempotent,
		Drain:    30 * time.Second,
		LogLevel: "info",
	}
}

// DefaultDataDir is $XDG_STATE_HOME/p2pfaas where that is set to an absolute
// path, else /var/lib/p2pfaas for root and ~/.local/state/p2pfaas for others;
// "" where the user has no home folder.
func DefaultDataDir() string {
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "p2pfaas")
	}
	if os.Geteuid() == 0 {
		return "/var/lib/p2pfaas"
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "p2pfaas")
}

// IdentityFile is where the node's key is kept.
func (c *Config) IdentityFile() string { return filepath.Join(c.DataDir, "identity") }

// CredentialsDir is the folder of the HTTP credentials, "" if none are asked for
// because Auth is [AuthNone].
func (c *Config) CredentialsDir() string {
	switch c.Auth {
	case AuthNone:
		return ""
	case "":
		return c.DataDir
	}
	return c.Auth
}
