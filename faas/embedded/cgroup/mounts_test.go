package cgroup

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someMounts = `22 1 0:20 / /proc rw - proc proc rw
30 25 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
32 25 0:28 / /sys/fs/cgroup/a\040b rw - cgroup2 cgroup2 rw
short line
`

func TestParseMounts(t *testing.T) {
	want := []mount{
		{root: "/", point: "/sys/fs/cgroup/memory", controllers: []string{"rw", "memory"}},
		{root: "/", point: "/sys/fs/cgroup/cpu,cpuacct", controllers: []string{"rw", "cpu", "cpuacct"}},
		{root: "/", point: "/sys/fs/cgroup/a b", unified: true},
	}
	if diff := cmp.Diff(want, parseMounts(someMounts), cmp.AllowUnexported(mount{})); diff != "" {
		t.Error(diff)
	}
}

func TestOwn(t *testing.T) {
	for _, tt := range []struct {
		name, mounts, membership, controller string
		offers                               bool
		folder                               string
		unified                              bool
		says                                 string
	}{
		{"version 1", someMounts, "4:memory:/app\n1:cpu,cpuacct:/", memory, false, "/sys/fs/cgroup/memory/app", false, ""},
		{"version 1, two together", someMounts, "1:cpu,cpuacct:/x", cpu, false, "/sys/fs/cgroup/cpu,cpuacct/x", false, ""},
		{"version 2", "32 25 0:28 / /c rw - cgroup2 cgroup2 rw", "0::/s.slice/a.service", cpu, true, "/c/s.slice/a.service", true, ""},
		{"version 2 without the controller", "32 25 0:28 / /c rw - cgroup2 cgroup2 rw", "0::/a", cpu, false, "", false, "does not offer"},
		{"both, the controller in version 1", someMounts, "4:memory:/\n0::/", memory, false, "/sys/fs/cgroup/memory", false, ""},
		{"a container's view", "3 2 0:1 /docker/1 /c rw - cgroup cgroup rw,memory", "4:memory:/docker/1/x", memory, false, "/c/x", false, ""},
		{"a group that is not shown", "3 2 0:1 /docker/1 /c rw - cgroup cgroup rw,memory", "4:memory:/other", memory, false, "", false, "not shown"},
		{"none", "", "", memory, true, "", false, "no control groups"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder, unified, err := own(parseMounts(tt.mounts), parseMembership(tt.membership), tt.controller, func(string) bool { return tt.offers })
			if folder != tt.folder || unified != tt.unified || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q, %v, %v", folder, unified, err)
			}
		})
	}
	if _, _, err := own(nil, nil, memory, nil); !errors.Is(err, errNone) {
		t.Error(err)
	}
}

func TestQuota(t *testing.T) {
	for milli, want := range map[int64][2]int64{1000: {100_000, 100_000}, 100: {10_000, 100_000}, 10: {1000, 100_000}, 5: {5000, 1_000_000}, 1: {1000, 1_000_000}, 2500: {250_000, 100_000}} {
		if quota, per := quota(milli); quota != want[0] || per != want[1] {
			t.Errorf("%d: %d of %d µs", milli, quota, per)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{64 << 20: "64Mi", 1 << 30: "1Gi", 1536 << 20: "1536Mi", 128e6: "128M", 1000: "1k", 1025: "1025", 5e9: "5G", 10 << 10: "10Ki"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}

func FuzzMounts(f *testing.F) {
	f.Add(someMounts, "4:memory:/app\n1:cpu,cpuacct:/\n0::/x")
	f.Fuzz(func(t *testing.T, mounts, membership string) {
		in := parseMembership(membership)
		for _, controller := range []string{memory, cpu} {
			folder, _, err := own(parseMounts(mounts), in, controller, func(string) bool { return true })
			if (folder == "") != (err != nil) && folder != "." {
				t.Errorf("%q, %v", folder, err)
			}
		}
	})
}
