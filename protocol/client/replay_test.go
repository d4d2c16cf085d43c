package client

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// A body read in pieces, rewound at any point, says the same again, or refuses
// to rewind because more was read than may be kept.
func TestReplayProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := make([]byte, rapid.IntRange(0, 2*keepMax).Draw(t, "length"))
		for i := range want {
			want[i] = byte(i * 7)
		}
		var source io.Reader = bytes.NewReader(want)
		seeks := rapid.Bool().Draw(t, "seeks")
		if !seeks {
			source = io.MultiReader(source) // hides Seek
		}
		b := new(replay).of(source)
		for range rapid.IntRange(0, 4).Draw(t, "attempts") {
			n, err := io.CopyN(io.Discard, b, rapid.Int64Range(0, int64(len(want))+1).Draw(t, "read"))
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
			before := b.lost
			if got := b.rewind(); got != (seeks || !before) {
				t.Fatalf("rewind after %d bytes: %v", n, got)
			}
			if before && !seeks {
				return
			}
		}
		head, err := io.ReadAll(io.LimitReader(b, rapid.Int64Range(0, int64(len(want))).Draw(t, "before the answer")))
		if err != nil {
			t.Fatal(err)
		}
		b.giveUp()
		tail, err := io.ReadAll(b)
		if got := append(head, tail...); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, %v; want %d", len(got), err, len(want))
		}
		if len(b.kept) > 0 {
			t.Fatalf("%d bytes still kept", len(b.kept))
		}
	})
}

func TestReplayKeepsAtMost(t *testing.T) {
	b := new(replay).of(io.LimitReader(zeros{}, keepMax+1))
	if _, err := io.CopyN(io.Discard, b, keepMax); err != nil || !b.rewind() {
		t.Fatalf("keepMax bytes cannot be sent again (%v)", err)
	}
	if _, err := io.Copy(io.Discard, b); err != nil || b.rewind() {
		t.Fatalf("keepMax+1 bytes can be sent again (%v)", err)
	}
	if b.kept != nil {
		t.Errorf("%d bytes still kept", len(b.kept))
	}
}

func TestReplaySeeksToWhereItBegan(t *testing.T) {
	r := strings.NewReader("header body")
	if _, err := io.CopyN(io.Discard, r, 7); err != nil {
		t.Fatal(err)
	}
	b := new(replay).of(r)
	for range 3 {
		got, err := io.ReadAll(b)
		if string(got) != "body" || err != nil || !b.rewind() {
			t.Fatalf("%q %v", got, err)
		}
	}
}

func TestReplayOfPipe(t *testing.T) {
	r, w, err := os.Pipe() // an *os.File has Seek, a pipe's fails
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("piped"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	b := new(replay).of(r)
	for range 2 {
		got, err := io.ReadAll(b)
		if string(got) != "piped" || err != nil || !b.rewind() {
			t.Fatalf("%q %v", got, err)
		}
	}
}

func TestReplayOfBrokenSource(t *testing.T) {
	broken := errors.New("disk gone")
	b := new(replay).of(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)))
	if _, err := io.ReadAll(b); !errors.Is(err, broken) {
		t.Errorf("read: %v", err)
	}
	if b.rewind() || !errors.Is(b.cause(), broken) {
		t.Errorf("a broken body is sent again, or its error is lost: %v", b.cause())
	}
}

func TestReplayGivesUp(t *testing.T) {
	b := new(replay).of(io.MultiReader(strings.NewReader("abcdef")))
	if _, err := io.CopyN(io.Discard, b, 3); err != nil {
		t.Fatal(err)
	}
	b.giveUp()
	got, err := io.ReadAll(b)
	if string(got) != "def" || err != nil || b.kept != nil || b.rewind() {
		t.Errorf("%q %v, %d bytes kept", got, err, len(b.kept))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
