package watchdog

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

func TestEnviron(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    faas.Request
		want []string
	}{
		{"least", faas.Request{Method: "GET", Size: -1}, []string{
			"Http_ContentLength=0", "Http_Content_Length=0", "Http_Method=GET", "Http_Path=/",
		}},
		{"all", faas.Request{
			Method: "POST", Path: "/a%2Fb%20c", Query: "x=%20", Host: "h:1", CallID: "id", Body: strings.NewReader("x"), Size: 1,
			Header: faas.Header{
				{Name: "x-two-words", Value: "1"}, {Name: "X-Two-Words", Value: "2"}, {Name: "Content-Length", Value: "9"},
				{Name: "Method", Value: "no"}, {Name: "Transfer-Encoding", Value: "no"}, {Name: "PROXY", Value: "no"},
			},
		}, []string{
			"Http_ContentLength=1", "Http_Content_Length=1", "Http_Host=h:1", "Http_Method=POST", "Http_Path=/a/b c",
			"Http_Query=x=%20", "Http_X_Call_Id=id", "Http_X_Two_Words=1",
		}},
		{"unknown length", faas.Request{Method: "PUT", Path: "/%zz", Body: strings.NewReader("x"), Size: -1, CallID: "a",
			Header: faas.Header{{Name: "X-Call-Id", Value: "b"}}}, []string{
			"Http_ContentLength=-1", "Http_Content_Length=-1", "Http_Method=PUT", "Http_Path=/%zz", "Http_Transfer_Encoding=chunked", "Http_X_Call_Id=b",
		}},
	} {
		got, err := Environ(&tt.r)
		slices.Sort(got)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

func TestEnvironIsRefused(t *testing.T) {
	for _, r := range []faas.Request{{Path: "/%00"}, {Query: "\x00"}, {Header: faas.Header{{Name: "A", Value: "\x00"}}}} {
		if _, err := Environ(&r); !errors.Is(err, faas.ErrInvalid) {
			t.Errorf("%+v: error %v", r, err)
		}
	}
}
