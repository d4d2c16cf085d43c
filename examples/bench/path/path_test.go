package path_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/p2pfaas/p2pfaas/examples/bench/path"
)

func TestExchange(t *testing.T) {
	body := strings.Repeat("0123456789", 20_000)
	changed := body[:150_000] + "x" + body[150_001:]
	for name, c := range map[string]struct {
		answer io.Reader
		want   string // of the error; "" for none
	}{
		"same":      {strings.NewReader(body), ""},
		"in bytes":  {iotest.OneByteReader(strings.NewReader(body)), ""},
		"short":     {strings.NewReader(body[:len(body)-1]), "truncated: 199999 of 200000"},
		"empty":     {strings.NewReader(""), "truncated: 0 of"},
		"long":      {strings.NewReader(body + "0"), "more than 200000"},
		"different": {strings.NewReader(changed), "differs"},
		"cut":       {io.MultiReader(strings.NewReader(body[:7]), iotest.ErrReader(io.ErrUnexpectedEOF)), "cut at byte 7"},
	} {
		x := path.NewExchange()
		for range 2 { // it is used again
			x.Begin([]byte(body))
			if sent, err := io.ReadAll(x.Reader()); err != nil || !bytes.Equal(sent, []byte(body)) {
				t.Errorf("%s: sends %d bytes: %v", name, len(sent), err)
			}
		}
		err := x.CompareAll(c.answer)
		if err == nil {
			err = x.Whole()
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
