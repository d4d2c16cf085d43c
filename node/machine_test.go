package node

import "testing"

func TestParseProcessors(t *testing.T) {
	p, err := parseProcessors("cpu  1 2 3 400 50 6 7 8 9 10\ncpu0 1 2 3 4\n")
	if want := (processors{idle: 450, all: 477}); p != want || err != nil {
		t.Errorf("%+v, %v; want %+v", p, err, want)
	}
	for _, s := range []string{"", "cpu 1 2 3", "cpu 1 2 3 4 5 6 7 x", "intr 1 2 3 4 5 6 7 8 9"} {
		if p, err := parseProcessors(s); err == nil {
			t.Errorf("%q is taken for %+v", s, p)
		}
	}
}

func FuzzParseProcessors(f *testing.F) {
	f.Add("cpu  1 2 3 400 50 6 7 8 9 10\n")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := parseProcessors(s); err != nil && p != (processors{}) {
			t.Errorf("%q: %+v with an error", s, p)
		}
	})
}
