package sim

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets that are less than one percent wide. The
// zero value is ready; its memory is bounded.
type Histogram struct {
	buckets []uint64
	count   uint64
	sum     float64 // nanoseconds
	least   time.Duration
	most    time.Duration
}

// stepBits is how many bits of a duration a bucket tells apart.
const stepBits = 7

// bucket is the index of the one for d.
func bucket(d time.Duration) int {
	if d < 1<<stepBits {
		return int(max(0, d))
	}
	shift := bits.Len64(uint64(d)) - stepBits - 1
	return shift<<stepBits + int(d>>shift)
}

// lower is the least duration of a bucket.
func lower(i int) time.Duration {
	if i < 2<<stepBits {
		return time.Duration(i)
	}
	shift := i>>stepBits - 1
	return time.Duration(i-shift<<stepBits) << shift
}

// Add counts d.
func (h *Histogram) Add(d time.Duration) {
	i := bucket(d)
	if i >= len(h.buckets) {
		h.buckets = append(h.buckets, make([]uint64, i+1-len(h.buckets))...)
	}
	h.buckets[i]++
	if h.count == 0 || d < h.least {
		h.least = d
	}
	h.most = max(h.most, d)
	h.count++
	h.sum += float64(d)
}

// Count is how many were added.
func (h *Histogram) Count() int { return int(h.count) }

// Mean is 0 if there are none.
func (h *Histogram) Mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	return time.Duration(h.sum / float64(h.count))
}

// Quantile is the value below which the share q of them lies, 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := q * float64(h.count)
	var below float64
	for i, n := range h.buckets {
		if n > 0 && below+float64(n) >= rank {
			within := (rank - below) / float64(n)
			value := lower(i) + time.Duration(within*float64(lower(i+1)-lower(i)))
			return min(max(value, h.least), h.most)
		}
		below += float64(n)
	}
	return h.most
}

// Below is the share of those that are at most d.
func (h *Histogram) Below(d time.Duration) float64 {
	if h.count == 0 {
		return 0
	}
	var below uint64
	for i := 0; i < min(len(h.buckets), bucket(d)+1); i++ {
		below += h.buckets[i]
	}
	return float64(below) / float64(h.count)
}

// Each calls yield for every bucket that is not empty, in order: its least
// duration, and how many are in it.
func (h *Histogram) Each(yield func(from time.Duration, count int) bool) {
	for i, n := range h.buckets {
		if n > 0 && !yield(lower(i), int(n)) {
			return
		}
	}
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	if other.count == 0 {
		return
	}
	if missing := len(other.buckets) - len(h.buckets); missing > 0 {
		h.buckets = append(h.buckets, make([]uint64, missing)...)
	}
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
	if h.count == 0 || other.least < h.least {
		h.least = other.least
	}
	h.most = max(h.most, other.most)
	h.count += other.count
	h.sum += other.sum
}
