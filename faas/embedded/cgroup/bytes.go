package cgroup

import "strconv"

// Bytes writes a number of bytes as a Kubernetes quantity, "64Mi", "128M" or
// plain, whichever is exact and shortest.
func Bytes(n int64) string {
	for _, u := range []struct {
		of     int64
		suffix string
	}{{1 << 40, "Ti"}, {1 << 30, "Gi"}, {1 << 20, "Mi"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1 << 10, "Ki"}, {1e3, "k"}} {
		if n >= u.of && n%u.of == 0 {
			return strconv.FormatInt(n/u.of, 10) + u.suffix
		}
	}
	return strconv.FormatInt(n, 10)
}
