package hello

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protodelim"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/protocol/pb/hellopb"
)

func anyHello(rt *rapid.T) Hello {
	word := rapid.StringMatching(`[ -~äöü]{0,16}`)
	h := Hello{
		Mesh:         rapid.StringMatching(`[a-z0-9-]{1,32}`).Draw(rt, "mesh"),
		Version:      word.Draw(rt, "version"),
		Incarnation:  rapid.Uint64().Draw(rt, "incarnation"),
		Role:         rapid.SampledFrom([]Role{Member, Client}).Draw(rt, "role"),
		Capabilities: rapid.SliceOfN(word, 0, MaxCapabilities).Draw(rt, "capabilities"),
		Zone:         word.Draw(rt, "zone"),
		Arch:         word.Draw(rt, "arch"),
	}
	if rapid.Bool().Draw(rt, "report") {
		h.Report = &load.Report{
			Incarnation: h.Incarnation,
			Wait:        time.Duration(rapid.IntRange(0, 1e6).Draw(rt, "wait")) * time.Microsecond,
			Servers:     rapid.IntRange(0, 64).Draw(rt, "servers"),
			Speed:       1,
		}
	}
	return h
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := anyHello(rt)
		var b bytes.Buffer
		if err := write(&b, &message{Hello: want}); err != nil {
			rt.Fatal(err)
		}
		got, err := read(&b)
		if err != nil {
			rt.Fatal(err)
		}
		if len(want.Capabilities) == 0 {
			want.Capabilities = nil
		}
		if diff := cmp.Diff(want, got.Hello); diff != "" {
			rt.Fatalf("-sent +read:\n%s", diff)
		}
	})
}

func TestReadRefuses(t *testing.T) {
	long := strings.Repeat("x", MaxWord+1)
	for name, w := range map[string]*hellopb.Hello{
		"no mesh":               {},
		"mesh with capitals":    {Mesh: "Default"},
		"mesh too long":         {Mesh: strings.Repeat("m", 33)},
		"mesh with underscore":  {Mesh: "a_b"},
		"long version":          {Mesh: "m", Version: long},
		"long zone":             {Mesh: "m", Zone: long},
		"control characters":    {Mesh: "m", Version: "1\n2026 ERROR forged"},
		"long capability":       {Mesh: "m", Capabilities: []string{long}},
		"too many capabilities": {Mesh: "m", Capabilities: make([]string, MaxCapabilities+1)},
		"credential too long":   {Mesh: "m", Credential: make([]byte, MaxCredential+1)},
		"too long":              {Mesh: "m", Text: strings.Repeat("t", MaxSize)},
	} {
		var b bytes.Buffer
		if _, err := protodelim.MarshalTo(&b, w); err != nil {
			t.Fatal(err)
		}
		if _, err := read(&b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, raw := range map[string][]byte{
		"empty":         nil,
		"cut":           {10, 1, 2},
		"huge length":   {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"endless":       bytes.Repeat([]byte{0xff}, 64),
		"no protobuf":   {4, 'h', 't', 't', 'p'},
		"not even UTF8": {4, 0x0a, 2, 0xff, 0xfe},
	} {
		if _, err := read(bytes.NewReader(raw)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestUnknownRoleIsTheLeast(t *testing.T) {
	m, err := fromWire(&hellopb.Hello{Mesh: "m", Role: hellopb.Hello_Role(math.MaxInt32)})
	if err != nil || m.Role != Client {
		t.Errorf("role %v, %v", m.Role, err)
	}
}

func TestRefusalText(t *testing.T) {
	m, err := fromWire(&hellopb.Hello{Code: 1, Text: "go\x1b[31m away\n" + strings.Repeat("é", MaxText)})
	if err != nil {
		t.Fatal(err)
	}
	if m.code != WrongMesh || len(m.text) > MaxText || !strings.HasPrefix(m.text, "go[31m away") {
		t.Errorf("%d bytes of text %.40q, code %v", len(m.text), m.text, m.code)
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	_ = write(&b, &message{Hello: Hello{Mesh: "default", Version: "1", Report: &load.Report{Servers: 4}}})
	f.Add(b.Bytes())
	b.Reset()
	_ = write(&b, &message{code: WrongMesh, text: "why"})
	f.Add(b.Bytes())
	f.Add([]byte{0xff, 0xff, 0x03})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := read(bytes.NewReader(data))
		if err != nil {
			return
		}
		if m.code == Accepted {
			if err := m.Validate(); err != nil {
				t.Fatalf("read accepted what is not valid: %v", err)
			}
		}
		if len(m.text) > MaxText {
			t.Fatalf("text of %d bytes", len(m.text))
		}
		var again bytes.Buffer
		if err := write(&again, &m); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
