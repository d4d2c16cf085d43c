package frame_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/p2pfaas/p2pfaas/examples/bench/frame"
)

// writes counts them.
type writes struct {
	bytes.Buffer
	n int
}

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return w.Buffer.Write(p)
}

func TestThereAndBack(t *testing.T) {
	sizes := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(1<<16-20, 1<<16+20), rapid.IntRange(0, 1<<18))
	rapid.Check(t, func(t *rapid.T) {
		var wire writes
		w := frame.NewWriter(&wire)
		var sent [][]byte
		for range rapid.IntRange(1, 4).Draw(t, "frames") {
			body := bytes.Repeat([]byte{byte(len(sent) + 1)}, sizes.Draw(t, "size"))
			if err := w.Send(int64(len(body)), bytes.NewReader(body)); err != nil {
				t.Fatal(err)
			}
			sent = append(sent, body)
		}
		r := frame.NewReader(&wire)
		for i, body := range sent {
			size, err := r.Next()
			if err != nil || size != int64(len(body)) {
				t.Fatalf("frame %d: size %d, want %d: %v", i, size, len(body), err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, body) {
				t.Fatalf("frame %d: %d bytes: %v", i, len(got), err)
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("after the last: %v", err)
		}
	})
}

func TestShortBodyLeavesInOneWrite(t *testing.T) {
	var wire writes
	if err := frame.NewWriter(&wire).Send(1000, bytes.NewReader(make([]byte, 1000))); err != nil || wire.n != 1 {
		t.Errorf("%d writes, %v", wire.n, err)
	}
}

func TestCut(t *testing.T) {
	var wire writes
	if err := frame.NewWriter(&wire).Send(3, iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a body that fails: %v", err)
	}
	if err := frame.NewWriter(&wire).Send(3, bytes.NewReader([]byte("ab"))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that is short: %v", err)
	}
	wire.Reset()
	if err := frame.NewWriter(&wire).Send(3, bytes.NewReader([]byte("abc"))); err != nil {
		t.Fatal(err)
	}
	wire.Truncate(wire.Len() - 1)
	r := frame.NewReader(&wire)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != io.ErrUnexpectedEOF {
		t.Errorf("a connection that is cut: %q, %v", got, err)
	}
}
