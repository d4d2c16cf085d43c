package stage

import (
	"strings"
	"testing"
)

func TestFindMetric(t *testing.T) {
	const text = "# HELP go_goroutines Number.\n# TYPE go_goroutines gauge\ngo_goroutines 41\ngo_goroutines_more 3\ngo_memstats_mallocs_total 1.25e+06\n"
	for name, want := range map[string]float64{"go_goroutines": 41, "go_memstats_mallocs_total": 1.25e6} {
		if got, err := findMetric(strings.NewReader(text), name); got != want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := findMetric(strings.NewReader(text), "go"); err == nil {
		t.Errorf("found %v", got)
	}
}

func TestAddresses(t *testing.T) {
	got, err := hostPort("/ip4/127.0.0.1/tcp/4001/p2p/12D3")
	if got != "127.0.0.1:4001" || err != nil || multiaddr(got, "12D3") != "/ip4/127.0.0.1/tcp/4001/p2p/12D3" {
		t.Errorf("%q, %v", got, err)
	}
	for _, addr := range []string{"", "/ip4/127.0.0.1/udp/1/quic-v1", "127.0.0.1:1"} {
		if got, err := hostPort(addr); err == nil {
			t.Errorf("%q: %q", addr, got)
		}
	}
}

func TestPathNamesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Paths(true) {
		if seen[p.Name] || p.Name == "" || p.Title == "" {
			t.Errorf("path %q", p.Name)
		}
		seen[p.Name] = true
	}
	if !seen[Base] {
		t.Error("the base is not a path")
	}
}
