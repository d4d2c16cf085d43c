package node

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func budgetOf(n int64) *replayBudget { return &replayBudget{limit: n} }

func TestReplayGivesEachAttemptTheWholeBody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 0, 4096).Draw(t, "body")
		budget := budgetOf(1 << 20)
		r := newReplay(iotest.OneByteReader(bytes.NewReader(body)), budget)
		for range rapid.IntRange(0, 4).Draw(t, "attempts given up") {
			a := r.attempt()
			_, _ = io.CopyN(io.Discard, a, rapid.Int64Range(0, int64(len(body))).Draw(t, "read"))
		}
		got, err := io.ReadAll(r.attempt())
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("last attempt read %d bytes of %d, error %v", len(got), len(body), err)
		}
		r.close()
		if used := budget.used.Load(); used != 0 {
			t.Fatalf("%d bytes of the budget are not given back", used)
		}
	})
}

// A large body is kept in several pieces, and read in whatever steps.
func TestReplayOfPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := make([]byte, rapid.IntRange(1, invoke.FirstWindow).Draw(t, "size"))
		for i := range body {
			body[i] = byte(i * i >> 7)
		}
		steps := rapid.SampledFrom([]int{100, leastPiece, 10_000, mostPiece - 29, 2 * mostPiece})
		budget := budgetOf(1 << 20)
		r := newReplay(&steady{bytes.NewReader(body), steps.Draw(t, "source's step")}, budget)
		if rapid.Bool().Draw(t, "prefetched") {
			if err := r.prefetch(int64(len(body))); err != nil || len(r.attempt().Bytes()) != len(body) {
				t.Fatalf("prefetch: %v, in one piece %d bytes of %d", err, len(r.attempt().Bytes()), len(body))
			}
		}
		for range rapid.IntRange(0, 2).Draw(t, "attempts given up") {
			_, _ = io.CopyN(io.Discard, r.attempt(), rapid.Int64Range(0, int64(len(body))).Draw(t, "read"))
		}
		got, p, a := []byte(nil), make([]byte, steps.Draw(t, "step")), r.attempt()
		for err := error(nil); err == nil; {
			lent := bytes.Clone(a.Bytes())
			var n int
			n, err = a.Read(p)
			if got = append(got, p[:n]...); len(lent) > 0 && !bytes.HasPrefix(lent, p[:n]) {
				t.Fatal("what is lent differs from what is read")
			}
		}
		if !bytes.Equal(got, body) {
			t.Fatalf("read %d bytes of %d, or others", len(got), len(body))
		}
		if r.close(); budget.used.Load() != 0 {
			t.Fatalf("%d bytes of the budget are not given back", budget.used.Load())
		}
	})
}

// steady reads no more than so much at a time.
type steady struct {
	io.Reader
	step int
}

func (s *steady) Read(p []byte) (int, error) { return s.Reader.Read(p[:min(len(p), s.step)]) }

func TestReplayLimits(t *testing.T) {
	large := strings.NewReader(strings.Repeat("x", invoke.FirstWindow+1))
	small := strings.Repeat("x", 1000)
	for _, c := range []struct {
		name       string
		body       io.Reader
		budget     int64
		replayable bool
	}{
		{"within both limits", strings.NewReader(small), 1 << 20, true},
		{"larger than one body may keep", large, 1 << 20, false},
		{"budget of all bodies used up", strings.NewReader(small), 999, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReplay(c.body, budgetOf(c.budget))
			if n, err := io.Copy(io.Discard, r.attempt()); err != nil || n < 1000 {
				t.Fatalf("read %d bytes, %v; the first attempt must get all of them", n, err)
			}
			if got := r.replayable(); got != c.replayable {
				t.Errorf("replayable = %v, want %v", got, c.replayable)
			}
			if got := r.attempt() != nil; got != c.replayable {
				t.Errorf("another attempt = %v, want %v", got, c.replayable)
			}
		})
	}
}

func TestReplayAfterCommit(t *testing.T) {
	r := newReplay(strings.NewReader("body"), budgetOf(100))
	a := r.attempt()
	r.commit()
	if got, err := io.ReadAll(a); string(got) != "body" || err != nil {
		t.Errorf("the running attempt reads on: got %q, %v", got, err)
	}
	if r.attempt() != nil {
		t.Error("there must be no attempt after the answer has begun")
	}
}

// A given-up attempt may be stuck in a read of a slow client; what it then
// gets belongs to the attempt after it.
func TestReplayTakesOverAReadUnderWay(t *testing.T) {
	source, client := io.Pipe()
	r := newReplay(source, budgetOf(100))
	first := r.attempt()
	firstErr := make(chan error, 1)
	go func() {
		_, err := first.Read(make([]byte, 10))
		firstErr <- err
	}()
	second := r.attempt()
	go func() { _, _ = client.Write([]byte("slow")); _ = client.Close() }()
	got, err := io.ReadAll(second)
	if string(got) != "slow" || err != nil {
		t.Errorf("second attempt read %q, %v", got, err)
	}
	if err := <-firstErr; err != nil && !errors.Is(err, errAbandoned) {
		t.Errorf("first attempt ended with %v", err)
	}
}

func TestReplayPrefetch(t *testing.T) {
	r := newReplay(strings.NewReader("body"), budgetOf(100))
	if err := r.prefetch(4); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r.attempt()); string(got) != "body" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	short := newReplay(strings.NewReader("bo"), budgetOf(100))
	if err := short.prefetch(4); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body shorter than announced: error %v, want unexpected EOF", err)
	}
}
