// Package soak tells whether what is watched over a long load grows.
package soak

import (
	"fmt"
	"slices"
	"time"
)

// Look is what one process holds at a moment.
type Look struct {
	After      time.Duration `json:"after_ns"` // since the load began
	Memory     int64         `json:"memory"`   // bytes, anonymous and resident
	Goroutines int           `json:"goroutines"`
	Files      int           `json:"files"` // descriptors
}

// Looks are those of one process, in the order of time.
type Looks []Look

// Slack is how much more something may be at the end than before, for each
// quantity and besides Share of what it was.
type Slack struct {
	Memory            int64
	Goroutines, Files int
	Share             float64
}

// Default leaves room for what a garbage collector and connections do by
// themselves.
func Default() Slack {
	return Slack{Memory: 4 << 20, Goroutines: 16, Files: 16, Share: .10}
}

// least is how many looks a judgement needs.
const least = 8

// Flat is an error that says what has grown between the second quarter of the
// looks and the last one; the first is for growing warm. Medians are compared.
func (l Looks) Flat(s Slack) error {
	if len(l) < least {
		return fmt.Errorf("only %d looks, %d are needed: make more calls", len(l), least)
	}
	early, late := l[len(l)/4:len(l)/2], l[len(l)*3/4:]
	for _, q := range []struct {
		name  string
		of    func(Look) int64
		slack int64
	}{
		{"memory", func(l Look) int64 { return l.Memory }, s.Memory},
		{"goroutines", func(l Look) int64 { return int64(l.Goroutines) }, int64(s.Goroutines)},
		{"open files", func(l Look) int64 { return int64(l.Files) }, int64(s.Files)},
	} {
		was, is := median(early, q.of), median(late, q.of)
		if is > was+q.slack+int64(s.Share*float64(was)) {
			return fmt.Errorf("%s grew from %d to %d", q.name, was, is)
		}
	}
	return nil
}

func median(l Looks, of func(Look) int64) int64 {
	values := make([]int64, len(l))
	for i, look := range l {
		values[i] = of(look)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
