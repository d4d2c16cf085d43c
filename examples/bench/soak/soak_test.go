package soak_test

import (
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/examples/bench/soak"
)

func TestFlat(t *testing.T) {
	const mb = 1 << 20
	flat := func(int) soak.Look { return soak.Look{Memory: 40 * mb, Goroutines: 100, Files: 70} }
	for name, c := range map[string]struct {
		n    int
		at   func(i int) soak.Look
		want string // what has grown; "" if nothing
	}{
		"flat":       {100, flat, ""},
		"too few":    {7, flat, "only 7 looks"},
		"warming up": {100, func(i int) soak.Look { return soak.Look{Memory: int64(min(i, 20)) * mb, Goroutines: min(i, 20)} }, ""},
		"saw":        {100, func(i int) soak.Look { return soak.Look{Memory: int64(30+10*(i%2)) * mb} }, ""},
		"memory":     {100, func(i int) soak.Look { return soak.Look{Memory: int64(40*mb + i*mb/4)} }, "memory grew"},
		"goroutines": {100, func(i int) soak.Look { return soak.Look{Goroutines: 10 + i} }, "goroutines grew"},
		"files":      {100, func(i int) soak.Look { return soak.Look{Files: 10 + i} }, "open files grew"},
	} {
		var looks soak.Looks
		for i := range c.n {
			looks = append(looks, c.at(i))
		}
		err := looks.Flat(soak.Default())
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
