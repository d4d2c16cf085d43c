package faas_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/faas"
)

func TestHeader(t *testing.T) {
	h := faas.Header{{Name: "X-A", Value: "1"}, {Name: "b", Value: ""}, {Name: "x-a", Value: "2"}}
	if h.Get("x-A") != "1" || h.Get("c") != "" || !h.Has("B") || h.Has("c") {
		t.Errorf("reading %v", h)
	}
	h.Add("X-a", "3")
	h.Set("B", "4")
	want := faas.Header{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}, {Name: "X-a", Value: "3"}, {Name: "B", Value: "4"}}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
	h.Del("x-A")
	if diff := cmp.Diff(faas.Header{{Name: "B", Value: "4"}}, h); diff != "" {
		t.Error(diff)
	}
}

func TestDropHopByHop(t *testing.T) {
	tests := []struct {
		name     string
		in, want string // names, separated by spaces; Connection's value behind =
	}{
		{"usual", "Accept keep-alive TE te trailer Transfer-Encoding upgrade Proxy-Connection Proxy-Authenticate proxy-authorization Connection=close X-A", "Accept X-A"},
		{"named", "X-One Connection=x-one,,X-Two X-Two X-Three", "X-Three"},
		{"names itself", "Connection=connection,X-A X-A X-B", "X-B"},
		{"none", "X-A x-a", "X-A x-a"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		h := fieldsOf(tt.in)
		h.DropHopByHop()
		if diff := cmp.Diff(tt.want, namesOf(h)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestDropHopByHopTwoLines: Connection may come as several fields.
func TestDropHopByHopTwoLines(t *testing.T) {
	h := faas.Header{{Name: "Connection", Value: "X-One"}, {Name: "X-One"}, {Name: "Connection", Value: "X-Two"}, {Name: "X-Two"}, {Name: "X-Three"}}
	h.DropHopByHop()
	if diff := cmp.Diff("X-Three", namesOf(h)); diff != "" {
		t.Error(diff)
	}
}

func fieldsOf(s string) (h faas.Header) {
	for _, f := range strings.Fields(s) {
		name, value, _ := strings.Cut(f, "=")
		h.Add(name, value)
	}
	return h
}

func namesOf(h faas.Header) string {
	names := []string{}
	for _, f := range h {
		names = append(names, f.Name)
	}
	return strings.Join(names, " ")
}

// TestHeaderKeepsOrder: Del leaves the others as they were.
func TestHeaderKeepsOrder(t *testing.T) {
	name := rapid.SampledFrom([]string{"A", "a", "B", "C", "c"})
	rapid.Check(t, func(t *rapid.T) {
		var h, want faas.Header
		gone := name.Draw(t, "gone")
		for i, n := range rapid.SliceOf(name).Draw(t, "names") {
			f := faas.Field{Name: n, Value: string(rune('0' + i%10))}
			h = append(h, f)
			if !strings.EqualFold(n, gone) {
				want = append(want, f)
			}
		}
		h.Del(gone)
		if h.Has(gone) || len(h) != len(want) || len(h) > 0 && !cmp.Equal(h, want) {
			t.Fatalf("without %s: %v, want %v", gone, h, want)
		}
	})
}
