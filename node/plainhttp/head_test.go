package plainhttp

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http/httpguts"
)

// readHead reads a request's head from b; nil unless it is plain.
func readHead(b []byte) (*http.Request, int) {
	g, r, u := newGear().(*gear), new(http.Request), new(url.URL)
	b = bytes.Clone(b[:min(len(b), headSize)])
	if g.head.parse(b, prefix) != plain || !g.fill(r, u, b) {
		return nil, 0
	}
	return r, g.head.end
}

// What is taken for plain is what net/http reads, and so is what is behind it.
func FuzzPlainIsWhatNetHTTPReads(f *testing.F) {
	for _, c := range same {
		if len(c.raw) < 1<<10 {
			f.Add([]byte(c.raw))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		own, end := readHead(b)
		if own == nil {
			return
		}
		in := bufio.NewReaderSize(bytes.NewReader(b), len(b)+16)
		theirs, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("%q is plain, says net/http: %v", b, err)
		}
		if rest := len(b) - in.Buffered(); rest != end {
			t.Errorf("%q ends at %d, with net/http at %d", b, end, rest)
		}
		checkServable(t, theirs)
		if diff := cmp.Diff(told(theirs), told(own)); diff != "" {
			t.Errorf("%q: net/http -, own +:\n%s", b, diff)
		}
	})
}

// checkServable wants what an http.Server demands of what http.ReadRequest lets pass.
func checkServable(t *testing.T, r *http.Request) {
	if r.Host == "" || !httpguts.ValidHostHeader(r.Host) {
		t.Errorf("host %q", r.Host)
	}
	for name, values := range r.Header {
		for _, v := range values {
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(v) {
				t.Errorf("field %q: %q", name, v)
			}
		}
	}
	if r.ContentLength < 0 || r.TransferEncoding != nil || r.Trailer != nil {
		t.Errorf("length %d, encoding %q, trailer %q", r.ContentLength, r.TransferEncoding, r.Trailer)
	}
}

// told is what a handler may know of a request.
func told(r *http.Request) any {
	return struct {
		Method, Proto, Host, URI, Escaped string
		Major, Minor                      int
		URL                               url.URL
		Header                            http.Header
		Length                            int64
		Close                             bool
	}{r.Method, r.Proto, r.Host, r.RequestURI, r.URL.EscapedPath(), r.ProtoMajor, r.ProtoMinor, *r.URL, r.Header, r.ContentLength, r.Close}
}

// What is cut off anywhere is unfinished, or odd already: never plain.
func TestHeadCutOff(t *testing.T) {
	for _, c := range same {
		if len(c.raw) > 1<<10 {
			continue
		}
		_, end := readHead([]byte(c.raw))
		for n := range end {
			if r, _ := readHead([]byte(c.raw[:n])); r != nil {
				t.Errorf("%s: %q is plain", c.name, c.raw[:n])
			}
		}
	}
}

func TestVerdicts(t *testing.T) {
	const line, host = "GET /function/echo HTTP/1.1\r\n", "Host: x\r\n"
	for _, c := range []struct {
		raw  string
		want verdict
	}{
		{"", unfinished},
		{"GET /function/ec", unfinished},
		{line, unfinished},
		{line + host, unfinished},
		{line + host + "\r", unfinished},
		{line + host + "\r\n", plain},
		{line + host + "\r\nGET", plain},
		{line + host + "Content-Length: 65536\r\n\r\n", plain},
		{line + host + "Content-Length: 999999999999999999\r\n\r\n", plain},
		{line + host + "Content-Length: 9999999999999999999\r\n\r\n", odd},
		{line + host + "Content-Length: 1\r\nContent-Length: 1\r\n", odd},
		{line + host + "content-length: 1\r\nCONTENT-LENGTH: 1\r\n", odd},
		{line + host + "Transfer-Encoding: chunked\r\n", odd},
		{line + host + "TRANSFER-ENCODING: identity\r\n", odd},
		{line + host + "Upgrade: x\r\n", odd},
		{line + host + "Expect: 100-continue\r\n", odd},
		{line + host + "Connection: upgrade\r\n", odd},
		{line + host + "Connection: close\r\nConnection: close\r\n", odd},
		{line + host + "Trailer: x\r\n", odd},
		{line + host + "TE: x\r\n", odd},
		{line + host + "HTTP2-Settings: x\r\n", odd},
		{line + host + host, odd},
		{line + "\r\n", odd},
		{line + "Host:\r\n", odd},
		{line + host + " x", unfinished},
		{line + host + " x\r\n", odd},
		{line + host + strings.Repeat("A: b\r\n", maxFields) + "\r\n", plain},
		{line + host + strings.Repeat("A: b\r\n", maxFields+1) + "\r\n", odd},
		{"GET /other HTTP/1.1\r\n", odd},
		{"GET /function HTTP/1.1\r\n", odd},
		{"\r\n", odd},
		{"\n", odd},
		{"GET /function/ HTTP/1.1\n", odd},
	} {
		if got := new(head).parse([]byte(c.raw), prefix); got != c.want {
			t.Errorf("%q: %d, want %d", c.raw, got, c.want)
		}
	}
}
