package openfaas

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/openfaas/faas-provider/logs"

	"github.com/p2pfaas/p2pfaas/faas"
)

// FuzzReadLines: lines are read as encoding/json reads them one by one, and an
// error comes last.
func FuzzReadLines(f *testing.F) {
	f.Add([]byte(`{"name":"a","instance":"i","timestamp":"2020-01-01T00:00:00Z","text":"x"}` + "\n"))
	f.Add([]byte("{}\n\n{\"text\":\"y\"}"))
	f.Add([]byte("[]\n{}"))
	f.Add([]byte("not found\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want []string
		bad := false
		for line := range bytes.Lines(raw) {
			var m logs.Message
			if line = bytes.TrimSuffix(line, []byte("\n")); len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			if bad = json.Unmarshal(line, &m) != nil; bad {
				break
			}
			want = append(want, m.Text)
		}
		var got []string
		failed := false
		for line, err := range readLines(bytes.NewReader(raw), faas.Name{Function: "f"}) {
			if failed {
				t.Fatal("something comes after an error")
			}
			if failed = err != nil; failed && !errors.Is(err, errNoLog) {
				t.Fatal(err)
			} else if !failed {
				got = append(got, line.Text)
			}
		}
		if failed != bad || strings.Join(got, "\x00") != strings.Join(want, "\x00") {
			t.Errorf("%q: %q, %v, want %q, %v", raw, got, failed, want, bad)
		}
	})
}

func TestReadLinesBreaksOff(t *testing.T) {
	const one = `{"text":"one"}` + "\n"
	for _, tt := range []struct {
		from io.Reader
		want error
	}{
		{io.MultiReader(strings.NewReader(one), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
		{io.MultiReader(strings.NewReader(one), strings.NewReader(strings.Repeat("x", maxLine+1))), errNoLog},
	} {
		var read int
		var last error
		for _, err := range readLines(tt.from, faas.Name{}) {
			read++
			last = err
		}
		if read != 2 || !errors.Is(last, tt.want) {
			t.Errorf("%d lines and errors, the last %v, want 2 and %v", read, last, tt.want)
		}
	}
}
