package host

import (
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
)

const someID = "12D3KooWQYzqnZzu8fNLWSoqFrWgxNTaQ5ykNvGj5ACvHLRnSXn3"

func TestParseAddrInfo(t *testing.T) {
	for _, c := range []struct{ in, fault string }{
		{"/ip4/10.0.0.1/tcp/18081/p2p/" + someID, ""},
		{" /dns4/pi.local/udp/18081/quic-v1/p2p/" + someID + "\n", ""},
		{"", "address"},
		{"10.0.0.1:18081", "must begin with /"},
		{"/ip4/10.0.0.1/tcp/18081", "/p2p/"},
		{"/p2p/" + someID, "no address"},
		{"/ip4/10.0.0.1/tcp/99999/p2p/" + someID, "port"},
		{"/ip4/10.0.0.1/tcp/1/p2p/nonsense", "p2p"},
	} {
		info, err := ParseAddrInfo(c.in)
		switch {
		case c.fault == "" && (err != nil || info.ID.String() != someID || len(info.Addrs) != 1):
			t.Errorf("%q: %v, %v", c.in, info, err)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault) || !strings.Contains(err.Error(), addrExample)):
			t.Errorf("%q: error %v, want one with %q and an example", c.in, err, c.fault)
		}
	}
	infos, err := ParseAddrInfos([]string{"/ip4/10.0.0.1/tcp/1/p2p/" + someID, "/ip4/10.0.0.2/tcp/1/p2p/" + someID})
	if err != nil || len(infos) != 1 || len(infos[0].Addrs) != 2 {
		t.Errorf("two addresses of one peer: %v, %v", infos, err)
	}
}

func TestValidate(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"no key":    func(c *Config) { c.Key = nil },
		"mesh":      func(c *Config) { c.Mesh = "Big Mesh" },
		"long mesh": func(c *Config) { c.Mesh = strings.Repeat("m", 33) },
		"port":      func(c *Config) { c.Port = 70000 },
		"bootstrap": func(c *Config) { c.Bootstrap = make([]peer.AddrInfo, 1) },
		"limits":    func(c *Config) { c.Limits.Memory = -1 },
	} {
		cfg := testConfig(t)
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(&cfg)
		if h, err := New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
			_ = h.Close()
		}
	}
}
