package node

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"github.com/p2pfaas/p2pfaas/faas/openfaas"
)

// ErrConfig is what every error of [Config.Validate] wraps.
var ErrConfig = errors.New("configuration")

// Bounds of Config's numbers.
const (
	maxServers   = 4096
	maxQueue     = 1 << 20
	maxMaxOpen   = 1 << 20
	minGossip    = 100 * time.Millisecond
	maxGossip    = time.Minute
	maxDrain     = time.Hour
	maxAddresses = 64

	maxAsyncKeep  = 366 * 24 * time.Hour
	maxAsyncDisk  = 1 << 20
	maxAsyncCalls = 10_000_000
)

var (
	meshName  = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	zoneLabel = regexp.MustCompile(`^[A-Za-z0-9._-]{0,64}$`)
	// targetForm is how the target of an image alias begins.
	targetForm = regexp.MustCompile(`^(builtin:|exec:|serve:|wasm:|https?://).`)
)

// Validate returns all that is wrong, one line each, each naming the setting,
// its value and what is accepted.
func (c *Config) Validate() error {
	return errors.Join(
		c.checkFiles(),
		c.checkHTTP(),
		c.checkNetwork(),
		c.checkCapacity(),
		c.checkChoices(),
		c.checkOpenFaaS(),
		c.checkLearner(),
		c.checkUnfinished(),
	)
}

func wrong(setting string, value any, want string) error {
	return fmt.Errorf("%w: %s %q: %s", ErrConfig, setting, fmt.Sprint(value), want)
}

func (c *Config) checkFiles() error {
	var errs []error
	if c.DataDir == "" {
		errs = append(errs, wrong("data", "", "want a folder; this user has no home folder to default to, so name one with --data DIR"))
	}
	for _, list := range []struct {
		setting string
		dirs    []string
	}{{"exec-path", c.ExecPath}, {"wasm-dir", c.WasmDirs}} {
		for _, dir := range list.dirs {
			if !filepath.IsAbs(dir) {
				errs = append(errs, wrong(list.setting, dir, "want an absolute path"))
			}
		}
	}
	for name, target := range c.ImageAlias {
		switch {
		case name == "" || target == "":
			errs = append(errs, wrong("image-alias", name+"="+target, "want NAME=TARGET, as thumb=serve:/opt/thumb"))
		case !targetForm.MatchString(target):
			errs = append(errs, wrong("image-alias", name+"="+target, "want as TARGET one of builtin:NAME, exec:PATH, serve:PATH, wasm:PATH, http://HOST:PORT"))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) checkHTTP() error {
	if c.HTTP == HTTPNone {
		return nil
	}
	_, port, err := net.SplitHostPort(c.HTTP)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return wrong("http", c.HTTP, "want HOST:PORT or :PORT with a port from 0 to 65535, as 127.0.0.1:18080, or none")
	}
	return nil
}

func (c *Config) checkNetwork() error {
	var errs []error
	if !meshName.MatchString(c.Mesh) {
		errs = append(errs, wrong("mesh", c.Mesh, "want 1 to 32 of a-z, 0-9 and -"))
	}
	if !zoneLabel.MatchString(c.Zone) {
		errs = append(errs, wrong("zone", c.Zone, "want at most 64 letters, digits, dots, underscores and -"))
	}
	if n := len(c.Listen) + len(c.Bootstrap); n > maxAddresses {
		errs = append(errs, wrong("listen and bootstrap", n, fmt.Sprintf("want at most %d addresses in all", maxAddresses)))
	}
	for _, a := range c.Listen {
		if _, err := multiaddr.NewMultiaddr(a); err != nil {
			errs = append(errs, wrong("listen", a, "want a multiaddr, as /ip4/0.0.0.0/tcp/18081 or /ip4/0.0.0.0/udp/18081/quic-v1"))
		}
	}
	for _, a := range c.Bootstrap {
		if _, err := peer.AddrInfoFromString(a); err != nil {
			errs = append(errs, wrong("bootstrap", a, "want a multiaddr with a peer ID, as /ip4/192.168.1.7/tcp/18081/p2p/12D3Koo…; \"p2pfaas-node id\" on the other node prints its own"))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) checkCapacity() error {
	return errors.Join(
		within("servers", c.Servers, 0, maxServers, "0 is the number of cores"),
		within("queue", c.Queue, -1, maxQueue, "-1 bounds it by the expected wait"),
		within("max-open", c.MaxOpen, 0, maxMaxOpen, "0 is the preset's"),
		within("drain", c.Drain, 0, maxDrain, "0 ends at once"),
		c.checkGossip(),
		c.checkAsync(),
	)
}

func (c *Config) checkAsync() error {
	return errors.Join(
		within("async-copies", c.AsyncCopies, 1, 2, "2 outlives the loss of a node"),
		within("async-keep", c.AsyncKeep, time.Second, maxAsyncKeep, "1h is the default"),
		within("async-keep-dead", c.AsyncKeepDead, time.Second, maxAsyncKeep, "168h is the default"),
		within("async-disk", c.AsyncDisk, 1, maxAsyncDisk, "it is in MB, and 1024 is the default"),
		within("async-calls", c.AsyncCalls, 1, maxAsyncCalls, "100000 is the default"),
	)
}

func (c *Config) checkGossip() error {
	if c.Gossip == 0 {
		return nil
	}
	return within("gossip", c.Gossip, minGossip, maxGossip, "0 chooses by the number of nodes")
}

func within[T int | time.Duration](setting string, v, low, high T, note string) error {
	if v >= low && v <= high {
		return nil
	}
	return wrong(setting, v, fmt.Sprintf("want %v to %v; %s", low, high, note))
}

func (c *Config) checkChoices() error {
	var policy error
	if c.Policy == "" {
		policy = wrong("policy", "", "want the name of a policy, as spread or local")
	}
	return errors.Join(policy,
		oneOf("preset", c.Preset, PresetAuto, PresetSmall, PresetStandard),
		oneOf("retry", c.Retry, RetryIdempotent, RetryAlways, RetryNever),
		oneOf("log-level", c.LogLevel, "debug", "info", "warn", "error"),
	)
}

func oneOf(setting, v string, choices ...string) error {
	if slices.Contains(choices, v) {
		return nil
	}
	return wrong(setting, v, fmt.Sprintf("want one of %v", choices))
}

func (c *Config) checkOpenFaaS() error {
	if c.OpenFaaSURL == "" || c.OpenFaaSURL == OpenFaaSNone {
		return nil
	}
	u, err := openfaas.ParseURL(c.OpenFaaSURL)
	switch {
	case err != nil:
		return fmt.Errorf("%w: openfaas-url: %w; or say none", ErrConfig, err)
	case c.Samples:
		return wrong("samples", c.Samples, "want it without openfaas-url "+u.Redacted()+": the samples run inside the node only")
	}
	return nil
}

func (c *Config) checkLearner() error {
	return errors.Join(
		urlOf("learner", c.Learner, "http", "https"),
		urlOf("learner-socket", c.LearnerSocket, "ws", "wss"),
		c.checkSocketHasLearner(),
	)
}

func (c *Config) checkSocketHasLearner() error {
	if c.LearnerSocket != "" && c.Learner == "" {
		return wrong("learner-socket", c.LearnerSocket, "want learner besides: rewards go there")
	}
	return nil
}

// urlOf checks a URL with a host, "" for none, whose password is not told.
func urlOf(setting, text string, schemes ...string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return wrong(setting, "…", "want a URL, as "+schemes[0]+"://127.0.0.1:19020")
	case !slices.Contains(schemes, u.Scheme) || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return wrong(setting, u.Redacted(), fmt.Sprintf("want %s://HOST:PORT without query", strings.Join(schemes, " or ")))
	}
	return nil
}

// checkUnfinished refuses what this version would otherwise silently not do.
func (c *Config) checkUnfinished() error {
	var errs []error
	if c.TokenFile != "" {
		errs = append(errs, wrong("token", c.TokenFile, "closed meshes are not in this version; leave it out (the mesh is then open to private addresses) or keep the ports behind a firewall"))
	}
	return errors.Join(errs...)
}
