package load

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/pb/loadpb"
)

func reports() *rapid.Generator[Report] {
	return rapid.Custom(func(t *rapid.T) Report {
		long := rapid.Uint64Range(0, math.MaxInt64/1000)
		milli := rapid.Uint32()
		return Report{
			Incarnation: rapid.Uint64().Draw(t, "incarnation"),
			Counter:     rapid.Uint64().Draw(t, "counter"),
			Age:         time.Duration(long.Draw(t, "age")) * time.Microsecond,
			Wait:        time.Duration(long.Draw(t, "wait")) * time.Microsecond,
			Running:     rapid.IntRange(0, math.MaxInt32).Draw(t, "running"),
			Queued:      rapid.IntRange(0, math.MaxInt32).Draw(t, "queued"),
			Servers:     rapid.IntRange(0, math.MaxInt32).Draw(t, "servers"),
			Speed:       float64(rapid.Uint32Range(1, math.MaxUint32).Draw(t, "speed")) / 1000,
			Rate:        float64(milli.Draw(t, "rate")) / 1000,
			Out:         float64(milli.Draw(t, "out")) / 1000,
			Functions:   rapid.Uint64().Draw(t, "functions"),
			Draining:    rapid.Bool().Draw(t, "draining"),
		}
	})
}

func entries() *rapid.Generator[Entry] {
	return rapid.Custom(func(t *rapid.T) Entry {
		return Entry{Peer: Key(rapid.Uint64().Draw(t, "peer")), Report: reports().Draw(t, "report")}
	})
}

// generated is what the generated code makes of r.
func generated(r *Report) *loadpb.Report {
	return &loadpb.Report{
		Incarnation: r.Incarnation, Counter: r.Counter,
		AgeUs: uint64(r.Age / time.Microsecond), WaitUs: uint64(r.Wait / time.Microsecond),
		Running: uint32(r.Running), Queued: uint32(r.Queued), Servers: uint32(r.Servers),
		SpeedMilli: uint32(math.Round(r.Speed * 1000)), RateMilli: uint32(math.Round(r.Rate * 1000)), OutMilli: uint32(math.Round(r.Out * 1000)),
		FunctionsDigest: r.Functions, Draining: r.Draining,
	}
}

func generatedNews(n *News) *loadpb.Message {
	m := &loadpb.Message{}
	if n.Has {
		m.Sender = generated(&n.Sender)
	}
	for i := range n.Others {
		m.Others = append(m.Others, &loadpb.Entry{Peer: uint64(n.Others[i].Peer), Report: generated(&n.Others[i].Report)})
	}
	return m
}

func TestNewsEqualsGeneratedCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := News{Has: rapid.Bool().Draw(t, "has"), Others: rapid.SliceOfN(entries(), 0, MaxEntries).Draw(t, "others")}
		if n.Has {
			n.Sender = reports().Draw(t, "sender")
		}
		want := generatedNews(&n)

		var got loadpb.Message
		if err := proto.Unmarshal(AppendNews(nil, 1, 2, &n), &got); err != nil {
			t.Fatal(err)
		}
		nominal(want)
		nominal(&got)
		if !proto.Equal(&got, want) {
			t.Fatalf("generated code reads %v, want %v", &got, want)
		}

		b, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var back News
		if err := ParseMessage(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(n, back, cmpopts.EquateApprox(1e-12, 0), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// nominal writes 0 for 1000, its other spelling.
func nominal(m *loadpb.Message) {
	all := []*loadpb.Report{m.GetSender()}
	for _, e := range m.GetOthers() {
		all = append(all, e.GetReport())
	}
	for _, r := range all {
		if r.GetSpeedMilli() == nominalSpeed {
			r.SpeedMilli = 0
		}
	}
}

func TestReportKeepsWithinItsBounds(t *testing.T) {
	wild := Report{
		Age: -time.Second, Wait: math.MaxInt64, Running: -1, Queued: math.MaxInt,
		Speed: math.NaN(), Rate: math.Inf(1), Out: -1,
	}
	var got Report
	if err := ParseReport(AppendReport(nil, &wild), &got); err != nil {
		t.Fatal(err)
	}
	want := Report{Wait: math.MaxInt64 / 1000 * 1000, Queued: math.MaxInt32, Speed: 1, Rate: math.MaxUint32 / 1000.0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestNewsIsBounded(t *testing.T) {
	n := News{Others: make([]Entry, 3*MaxEntries)}
	var m loadpb.Message
	if err := proto.Unmarshal(AppendNews(nil, 1, 2, &n), &m); err != nil || len(m.GetOthers()) != MaxEntries {
		t.Fatalf("%d entries written, error %v", len(m.GetOthers()), err)
	}
	many, _ := proto.Marshal(generatedNews(&n))
	var got News
	if err := ParseMessage(many, &got); err != nil || len(got.Others) != MaxEntries {
		t.Fatalf("%d entries read, error %v", len(got.Others), err)
	}
}

func TestReportAllocatesNothing(t *testing.T) {
	r := Report{Incarnation: 1, Counter: 1 << 40, Wait: time.Second, Functions: 1, Speed: 2}
	n := News{Has: true, Sender: r, Others: make([]Entry, MaxEntries)}
	b, back := make([]byte, 0, 4096), News{Others: make([]Entry, 0, MaxEntries)}
	if got := testing.AllocsPerRun(100, func() {
		b = AppendNews(b[:0], 1, 2, &n)
		if err := ParseMessage(b, &back); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Fatalf("%v allocations", got)
	}
}

func FuzzParseReport(f *testing.F) {
	f.Add(AppendReport(nil, &Report{Incarnation: 7, Counter: 9, Wait: time.Second, Functions: 3, Draining: true}))
	f.Add([]byte{0x08})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Report
		err := ParseReport(b, &r)
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("unexpected error %v", err)
		}
		if wrong := proto.Unmarshal(b, &loadpb.Report{}); (wrong == nil) != (err == nil) {
			t.Fatalf("we say %v, the generated code %v", err, wrong)
		}
		if err != nil {
			return
		}
		var again Report
		if err := ParseReport(AppendReport(nil, &r), &again); err != nil || !cmp.Equal(r, again, cmpopts.EquateApprox(1e-12, 0)) {
			t.Fatalf("%+v became %+v, error %v", r, again, err)
		}
	})
}
