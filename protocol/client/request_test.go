package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestBodySize(t *testing.T) {
	for _, row := range []struct {
		name string
		r    Request
		want int64
	}{
		{"none", Request{}, 0},
		{"none, size unknown", Request{Size: -1}, 0},
		{"http.NoBody", Request{Body: http.NoBody}, 0},
		{"bytes.Buffer", Request{Body: bytes.NewBufferString("abc")}, 3},
		{"bytes.Reader", Request{Body: bytes.NewReader([]byte("abc"))}, 3},
		{"strings.Reader", Request{Body: strings.NewReader("abc"), Size: -1}, 3},
		{"empty", Request{Body: strings.NewReader("")}, 0},
		{"other", Request{Body: io.MultiReader()}, -1},
		{"told", Request{Body: io.MultiReader(), Size: 9}, 9},
	} {
		row.r.Function = "f"
		if got, err := bodySize(&row.r); got != row.want || err != nil {
			t.Errorf("%s: %d %v, want %d", row.name, got, err, row.want)
		}
	}
	for want, r := range map[string]Request{
		"name is missing":  {},
		"begin with":       {Function: "f", Path: "x"},
		"9 bytes and no b": {Function: "f", Size: 9},
	} {
		if _, err := bodySize(&r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestMayRepeat(t *testing.T) {
	key := http.Header{"Idempotency-Key": {"1"}}
	for _, row := range []struct {
		r                   Request
		idempotent, byOther bool
	}{
		{Request{}, false, true},
		{Request{Method: "POST"}, false, true},
		{Request{Method: "PATCH"}, false, true},
		{Request{Method: "GET"}, true, true},
		{Request{Method: "HEAD"}, true, true},
		{Request{Method: "OPTIONS"}, true, true},
		{Request{Method: "PUT"}, true, true},
		{Request{Method: "DELETE"}, true, true},
		{Request{Method: "POST", Header: key}, true, true},
		{Request{Idempotent: true}, true, true},
	} {
		for policy, want := range map[Retry]bool{RetryIdempotent: row.idempotent, RetryAlways: row.byOther, RetryNever: false} {
			if got := policy.mayRepeat(&row.r); got != want {
				t.Errorf("%+v, policy %d: %v, want %v", row.r, policy, got, want)
			}
		}
	}
}

func TestWireRequest(t *testing.T) {
	c, err := newCall(&Request{
		Function: "echo.edge", Path: "/p%2Fq", Query: "a=1&a=2", Host: "h",
		Header: http.Header{
			"X-Call-Id": {"id"}, "X-Many": {"1", "2"}, "Connection": {"x-mine, close"},
			"X-Mine": {"1"}, "Te": {"trailers"}, "Content-Length": {"7"},
		},
		Body: strings.NewReader("abc"), Parent: "p", Idempotent: true,
	}, RetryIdempotent, new(ids))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	got := c.next(ctx)
	if got.Deadline <= 59*time.Minute || got.Deadline > time.Hour {
		t.Errorf("deadline %v", got.Deadline)
	}
	slices.SortStableFunc(got.Header, func(a, b invoke.Field) int { return strings.Compare(a.Name, b.Name) })
	got.Deadline, got.Body = 0, nil
	want := &invoke.Request{
		CallID: "id", Function: "echo.edge", Method: "POST", Path: "/p%2Fq", Query: "a=1&a=2", Host: "h",
		Header: invoke.Header{{Name: "X-Call-Id", Value: "id"}, {Name: "X-Many", Value: "1"}, {Name: "X-Many", Value: "2"}},
		Size:   3, Parent: "p", MayRepeat: true, Rewindable: true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
