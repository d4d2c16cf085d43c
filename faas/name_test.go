package faas_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/faas"
)

func TestParseName(t *testing.T) {
	long := strings.Repeat("a", 63)
	tests := []struct {
		in   string
		want faas.Name
		text string // of String
		ok   bool
	}{
		{"f", faas.Name{Function: "f", Namespace: faas.DefaultNamespace}, "f", true},
		{"f.ns", faas.Name{Function: "f", Namespace: "ns"}, "f.ns", true},
		{"f." + faas.DefaultNamespace, faas.Name{Function: "f", Namespace: faas.DefaultNamespace}, "f", true},
		{"0-a-9", faas.Name{Function: "0-a-9", Namespace: faas.DefaultNamespace}, "0-a-9", true},
		{long + "." + long, faas.Name{Function: long, Namespace: long}, long + "." + long, true},
		{in: ""}, {in: "."}, {in: "f."}, {in: ".ns"}, {in: "a.b.c"}, {in: "-a"}, {in: "a-"}, {in: "A"},
		{in: "a_b"}, {in: "a/b"}, {in: "a\n"}, {in: "é"}, {in: long + "a"}, {in: "../x"},
	}
	for _, tt := range tests {
		got, err := faas.ParseName(tt.in)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, faas.ErrInvalid) {
			t.Errorf("%q: error %v", tt.in, err)
			continue
		}
		if tt.ok && (got != tt.want || got.String() != tt.text) {
			t.Errorf("%q: %+v, %q", tt.in, got, got)
		}
	}
}

// TestNameComesBack: what String writes, ParseName reads.
func TestNameComesBack(t *testing.T) {
	label := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		n := faas.Name{Function: label.Draw(t, "function"), Namespace: label.Draw(t, "namespace")}
		if back, err := faas.ParseName(n.String()); back != n || err != nil {
			t.Fatalf("%+v came back as %+v, %v", n, back, err)
		}
	})
}

func FuzzParseName(f *testing.F) {
	f.Add("f.ns")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := faas.ParseName(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(n.Function+n.Namespace, "./\\ \x00\n") || len(n.Function) > 63 || len(n.Namespace) > 63 {
			t.Fatalf("%q is accepted as %+v", s, n)
		}
	})
}
