package gateway

import (
	"context"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// TestHeaders is OpenFaaS's contract of what a function gets and a client sees,
// with a call ID always told.
func TestHeaders(t *testing.T) {
	const made = "it was made"
	for name, tt := range map[string]struct {
		sent     []string
		function invoke.Header // what it answers with
		request  map[string]string
		answer   map[string]string
	}{
		"plain": {
			request: map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "host"},
			answer:  map[string]string{"X-Call-Id": made, "X-Served-By": "test/1", "X-OpenFaaS-Internal": ""},
		},
		"behind a proxy": {
			sent:    []string{"X-Forwarded-For", "192.0.2.1", "X-Forwarded-Host", "public.example", "X-Forwarded-Proto", "https"},
			request: map[string]string{"X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-Host": "public.example", "X-Forwarded-Proto": "https"},
		},
		"own call ID": {
			sent:     []string{"X-Call-Id", "mine", "X-Start-Time", "7"},
			function: invoke.Header{{Name: "X-Call-Id", Value: "echoed"}, {Name: "X-Duration-Seconds", Value: "0.5"}, {Name: "X-Start-Time", Value: "8"}},
			answer:   map[string]string{"X-Call-Id": "mine", "X-Duration-Seconds": "0.5"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := time.Now()
			var got invoke.Request
			url := serve(t, func(_ context.Context, r *invoke.Request, _ Options) (*invoke.Answer, error) {
				got = *r
				a := answer(200, "x")
				a.Header = tt.function
				return a, nil
			})
			resp := do(t, "GET", url+"/function/fn", "", tt.sent...)
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			values := map[string][]string{}
			for _, f := range got.Header {
				values[f.Name] = append(values[f.Name], f.Value)
			}
			for field, want := range tt.request {
				if want == "host" {
					want = got.Host
				}
				if diff := cmp.Diff([]string{want}, values[field]); diff != "" {
					t.Errorf("%s towards the function (-want +got):\n%s", field, diff)
				}
			}
			for field, want := range tt.answer {
				if want == made {
					want = got.CallID
				}
				if all := resp.Header.Values(field); len(all) > 1 || resp.Header.Get(field) != want {
					t.Errorf("%s of the answer is %q, want %q", field, all, want)
				}
			}
			for _, s := range []string{values["X-Start-Time"][0], resp.Header.Get("X-Start-Time")} {
				if ns, err := strconv.ParseInt(s, 10, 64); err != nil || ns < before.UnixNano() || ns > time.Now().UnixNano() || len(resp.Header["X-Start-Time"]) != 1 {
					t.Errorf("X-Start-Time %q: %v", s, err)
				}
			}
			if s, err := strconv.ParseFloat(resp.Header.Get("X-Duration-Seconds"), 64); err != nil || s < 0 {
				t.Errorf("X-Duration-Seconds %q", resp.Header.Get("X-Duration-Seconds"))
			}
		})
	}
}

// TestPlatformErrorsAreMarked: a client decides by X-OpenFaaS-Internal whether it
// was the function that answered so. As in OpenFaaS an absent function is not
// marked.
func TestPlatformErrorsAreMarked(t *testing.T) {
	for code, want := range map[invoke.Code]string{
		invoke.CodeRefused: "p2pfaas", invoke.CodeUnavailable: "p2pfaas", invoke.CodeDeadline: "p2pfaas",
		invoke.CodeUnknown: "p2pfaas", invoke.CodeFailed: "p2pfaas", invoke.CodeNoFunction: "", invoke.CodeBadRequest: "",
	} {
		url := serve(t, func(context.Context, *invoke.Request, Options) (*invoke.Answer, error) {
			return nil, &invoke.Error{Code: code}
		})
		resp := do(t, "POST", url+"/function/fn", "")
		if got := resp.Header.Get("X-OpenFaaS-Internal"); got != want || resp.StatusCode != Status(code) {
			t.Errorf("%v: status %d marked %q, want %q", code, resp.StatusCode, got, want)
		}
	}
}
