package cgroup

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLeastMemory(t *testing.T) {
	const v1, v2 = "memory.limit_in_bytes", "memory.max"
	for _, tt := range []struct {
		name, fs   string // of the mount
		membership string
		files      map[string]string
		want       int64 // 0: none
	}{
		{"version 1", "cgroup cgroup rw,memory", "4:memory:/a/b", map[string]string{"a/b/" + v1: "268435456\n"}, 256 << 20},
		{"version 1, none", "cgroup cgroup rw,memory", "4:memory:/a", map[string]string{v1: "9223372036854771712\n", "a/" + v1: "9223372036854771712\n"}, 0},
		{"version 2", "cgroup2 cgroup2 rw", "0::/s.slice/a", map[string]string{"s.slice/a/" + v2: "104857600\n"}, 100 << 20},
		{"version 2, around it", "cgroup2 cgroup2 rw", "0::/s.slice/a", map[string]string{"s.slice/a/" + v2: "max\n", "s.slice/" + v2: "52428800\n"}, 50 << 20},
		{"the least counts", "cgroup2 cgroup2 rw", "0::/s/a", map[string]string{"s/a/" + v2: "1000000\n", "s/" + v2: "52428800\n"}, 1_000_000},
		{"one that is not ours", "cgroup2 cgroup2 rw", "0::/a", map[string]string{"b/" + v2: "1000000\n"}, 0},
		{"nonsense", "cgroup2 cgroup2 rw", "0::/a", map[string]string{"a/" + v2: "much\n"}, 0},
		{"another controller", "cgroup cgroup rw,cpu", "4:cpu:/a", map[string]string{"a/" + v1: "1000000\n"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			point := t.TempDir()
			for name, text := range tt.files {
				file := filepath.Join(point, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			mounts := parseMounts("30 25 0:26 / " + point + " rw - " + tt.fs)
			got, limited := leastMemory(mounts, parseMembership(tt.membership))
			if got != tt.want || limited != (tt.want > 0) {
				t.Errorf("%d, %v; want %d", got, limited, tt.want)
			}
		})
	}
}
