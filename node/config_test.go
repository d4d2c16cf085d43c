package node

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const somePeer = "12D3KooWPvgWNnrZiUKkPhcSXrUM3SU4KgSCZUxArozJTrMVxUMc"

func TestDefaultIsValid(t *testing.T) {
	c := Default()
	c.DataDir = t.TempDir()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestValidate(t *testing.T) {
	cases := []struct {
		name   string
		change func(c *Config)
		want   []string // in the error's text; none: valid
	}{
		{"no data folder", func(c *Config) { c.DataDir = "" }, []string{"data", "--data DIR"}},
		{"mesh of 32", func(c *Config) { c.Mesh = strings.Repeat("a", 32) }, nil},
		{"mesh of 33", func(c *Config) { c.Mesh = strings.Repeat("a", 33) }, []string{"mesh", "1 to 32"}},
		{"mesh in capitals", func(c *Config) { c.Mesh = "Home" }, []string{`mesh "Home"`, "a-z"}},
		{"no mesh", func(c *Config) { c.Mesh = "" }, []string{`mesh ""`}},
		{"mesh with a line", func(c *Config) { c.Mesh = "a\n" }, []string{"mesh"}},
		{"http without a port", func(c *Config) { c.HTTP = "localhost" }, []string{`http "localhost"`, "HOST:PORT"}},
		{"http port too large", func(c *Config) { c.HTTP = ":65536" }, []string{`http ":65536"`}},
		{"http on a free port of IPv6", func(c *Config) { c.HTTP = "[::1]:0" }, nil},
		{"no http", func(c *Config) { c.HTTP = HTTPNone }, nil},
		{"listen", func(c *Config) { c.Listen = []string{"/ip4/0.0.0.0/udp/0/quic-v1"} }, nil},
		{"listen on a socket address", func(c *Config) { c.Listen = []string{"0.0.0.0:18081"} }, []string{`listen "0.0.0.0:18081"`, "/ip4/"}},
		{"bootstrap", func(c *Config) { c.Bootstrap = []string{"/ip4/10.0.0.1/tcp/18081/p2p/" + somePeer} }, nil},
		{"bootstrap without a peer ID", func(c *Config) { c.Bootstrap = []string{"/ip4/10.0.0.1/tcp/18081"} }, []string{"bootstrap", "peer ID"}},
		{"too many addresses", func(c *Config) { c.Listen = make([]string, 65) }, []string{`"65"`, "at most 64"}},
		{"negative servers", func(c *Config) { c.Servers = -1 }, []string{`servers "-1"`, "0 to 4096"}},
		{"queue of none", func(c *Config) { c.Queue = 0 }, nil},
		{"queue below automatic", func(c *Config) { c.Queue = -2 }, []string{`queue "-2"`, "-1"}},
		{"streams by the preset", func(c *Config) { c.MaxOpen = 0 }, nil},
		{"negative streams", func(c *Config) { c.MaxOpen = -1 }, []string{"max-open", "0 to"}},
		{"unknown preset", func(c *Config) { c.Preset = "tiny" }, []string{`preset "tiny"`, "auto small standard"}},
		{"gossip", func(c *Config) { c.Gossip = 100 * time.Millisecond }, nil},
		{"gossip too often", func(c *Config) { c.Gossip = time.Millisecond }, []string{`gossip "1ms"`, "100ms to 1m0s"}},
		{"negative drain", func(c *Config) { c.Drain = -time.Second }, []string{"drain"}},
		{"three copies", func(c *Config) { c.AsyncCopies = 3 }, []string{`async-copies "3"`, "1 to 2"}},
		{"answers kept for no time", func(c *Config) { c.AsyncKeep = 0 }, []string{"async-keep"}},
		{"no dead letters", func(c *Config) { c.AsyncKeepDead = 0 }, []string{"async-keep-dead"}},
		{"no disk for calls", func(c *Config) { c.AsyncDisk = 0 }, []string{"async-disk", "in MB"}},
		{"no calls", func(c *Config) { c.AsyncCalls = 0 }, []string{"async-calls"}},
		{"no policy", func(c *Config) { c.Policy = "" }, []string{"policy", "spread"}},
		{"retry", func(c *Config) { c.Retry = "sometimes" }, []string{`retry "sometimes"`, "idempotent always never"}},
		{"log level", func(c *Config) { c.LogLevel = "loud" }, []string{`log-level "loud"`, "debug info warn error"}},
		{"zone with a space", func(c *Config) { c.Zone = "rack 1" }, []string{`zone "rack 1"`}},
		{"relative exec-path", func(c *Config) { c.ExecPath = []string{"bin"} }, []string{`exec-path "bin"`, "absolute"}},
		{"empty alias", func(c *Config) { c.ImageAlias = map[string]string{"a": ""} }, []string{`image-alias "a="`, "NAME=TARGET"}},
		{"closed mesh", func(c *Config) { c.TokenFile = "token" }, []string{"token", "not in this version"}},
		{"OpenFaaS", func(c *Config) { c.OpenFaaSURL = "http://admin:secret@127.0.0.1:8080" }, nil},
		{"OpenFaaS without scheme", func(c *Config) { c.OpenFaaSURL = "127.0.0.1:8080" }, []string{"openfaas-url", "http://"}},
		{"samples on OpenFaaS", func(c *Config) { c.OpenFaaSURL, c.Samples = "http://127.0.0.1:8080", true }, []string{"samples", "inside the node"}},
		{"no OpenFaaS", func(c *Config) { c.OpenFaaSURL = "none" }, nil},
		{"two at once", func(c *Config) { c.Mesh, c.Retry = "?", "?" }, []string{"mesh", "retry", "\n"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := Default()
			cfg.DataDir = t.TempDir()
			c.change(&cfg)
			err := cfg.Validate()
			if len(c.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("got %v, want an error that is ErrConfig", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error says %q, want %q in it", err, want)
				}
			}
		})
	}
}

func TestDefaultDataDir(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	if got, want := DefaultDataDir(), filepath.Join(state, "p2pfaas"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	t.Setenv("XDG_STATE_HOME", "not/absolute")
	if got := DefaultDataDir(); !filepath.IsAbs(got) {
		t.Errorf("got %s, want a path that does not depend on the working folder", got)
	}
}

func TestCredentialsDir(t *testing.T) {
	cases := []struct{ auth, want string }{{"", "/data"}, {"/etc/creds", "/etc/creds"}, {AuthNone, ""}}
	for _, c := range cases {
		cfg := Config{DataDir: "/data", Auth: c.auth}
		if got := cfg.CredentialsDir(); got != c.want {
			t.Errorf("auth %q: got %q, want %q", c.auth, got, c.want)
		}
	}
}
