package embedded

import (
	"errors"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

func TestParseLimits(t *testing.T) {
	for memory, want := range map[string]int64{
		"": 0, "64Mi": 64 << 20, "128M": 128e6, "1.5Gi": 3 << 29, "67108864": 64 << 20, "64e6": 64e6, "64E6": 64e6, "2000Ki": 2000 << 10, "1500k": 1500e3,
		"1Ti": 1 << 40, " 64Mi ": 64 << 20, "1G": 1e9, "1T": 1e12, "134217728000m": 134217728, "0.001Pi": 1125899906843, "1e+7": 1e7, "0000064Mi": 64 << 20,
	} {
		if l, err := parseLimits(&faas.Resources{Memory: memory}); l.Memory != want || err != nil {
			t.Errorf("memory %q: %d, %v, want %d", memory, l.Memory, err, want)
		}
	}
	for cpu, want := range map[string]int64{"": 0, "100m": 100, "0.5": 500, "2": 2000, ".25": 250, "1.0005": 1001, "1m": 1, "1e1": 10000, "2k": 2e6} {
		if l, err := parseLimits(&faas.Resources{CPU: cpu}); l.CPU != want || err != nil {
			t.Errorf("CPU %q: %d, %v, want %d", cpu, l.CPU, err, want)
		}
	}
	if l, err := parseLimits(nil); l != (cgroup.Limits{}) || err != nil {
		t.Errorf("%v, %v", l, err)
	}
}

func TestParseLimitsRefuses(t *testing.T) {
	for _, memory := range []string{"64m", "64MB", "64 Mi", "-64Mi", "0", "Mi", "1e99", "100Ei", "64mi", "1/2", "0x40", "NaN", "64Mi64", "1e400000000", strings.Repeat("9", 99)} {
		if l, err := parseLimits(&faas.Resources{Memory: memory}); !errors.Is(err, faas.ErrInvalid) || !strings.Contains(err.Error(), "64Mi") {
			t.Errorf("memory %q: %v, %v", memory, l, err)
		}
	}
	for _, cpu := range []string{"0", "half", "-1", "100 m", "1000000", "50%", "0.0", "1.5.5"} {
		if l, err := parseLimits(&faas.Resources{CPU: cpu}); !errors.Is(err, faas.ErrInvalid) || !strings.Contains(err.Error(), "100m") {
			t.Errorf("CPU %q: %v, %v", cpu, l, err)
		}
	}
}

func FuzzParseLimits(f *testing.F) {
	f.Add("64Mi", "100m")
	f.Add("1e9", "0.5")
	f.Fuzz(func(t *testing.T, memory, cpu string) {
		l, err := parseLimits(&faas.Resources{Memory: memory, CPU: cpu})
		if err == nil && (l.Memory != 0 && (l.Memory < leastMemory || l.Memory > mostMemory) || l.CPU < 0 || l.CPU > mostCPU) {
			t.Fatalf("%q and %q are accepted as %+v", memory, cpu, l)
		}
	})
}
