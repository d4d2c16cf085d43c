package httpcall

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/p2pfaas/p2pfaas/faas"
)

// valid refuses what would change the meaning of the bytes behind it.
func valid(r *faas.Request) error {
	switch {
	case !httpguts.ValidHeaderFieldName(r.Method):
		return fmt.Errorf("method %q: %w: not a token", r.Method, faas.ErrInvalid)
	case r.Path != "" && r.Path[0] != '/', !plain(r.Path, "?#"):
		return fmt.Errorf("path %q: %w: not an escaped path that begins with /", r.Path, faas.ErrInvalid)
	case !plain(r.Query, "#"):
		return fmt.Errorf("query %q: %w: not escaped", r.Query, faas.ErrInvalid)
	case !httpguts.ValidHostHeader(r.Host):
		return fmt.Errorf("host %q: %w", r.Host, faas.ErrInvalid)
	case !httpguts.ValidHeaderFieldValue(r.Upgrade):
		return fmt.Errorf("upgrade %q: %w", r.Upgrade, faas.ErrInvalid)
	case !httpguts.ValidHeaderFieldValue(r.CallID):
		return fmt.Errorf("call id %q: %w", r.CallID, faas.ErrInvalid)
	}
	return validFields(r.Header)
}

func validFields(h faas.Header) error {
	for i := range h {
		if !httpguts.ValidHeaderFieldName(h[i].Name) || !httpguts.ValidHeaderFieldValue(h[i].Value) {
			return fmt.Errorf("header field %q: %w: a name is a token, a value has no line end or control character", h[i].Name, faas.ErrInvalid)
		}
	}
	return nil
}

func plain(s, without string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return !strings.ContainsAny(s, without)
}

// appendHead appends the request's line and fields.
func appendHead(b []byte, r *faas.Request, addr string) []byte {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, orElse(r.Path, "/")...)
	if r.Query != "" {
		b = append(append(b, '?'), r.Query...)
	}
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", orElse(r.Host, addr))
	if r.CallID != "" && !r.Header.Has("X-Call-Id") {
		b = appendField(b, "X-Call-Id", r.CallID)
	}
	for i := range r.Header {
		if !ours(r.Header[i].Name) {
			b = appendField(b, r.Header[i].Name, r.Header[i].Value)
		}
	}
	return append(appendFraming(b, r), "\r\n"...)
}

func appendFraming(b []byte, r *faas.Request) []byte {
	if r.Upgrade != "" {
		b = appendField(b, "Connection", "Upgrade")
		b = appendField(b, "Upgrade", r.Upgrade)
	}
	switch {
	case unsized(r):
		b = appendField(b, "Transfer-Encoding", "chunked")
	case r.Body != nil && r.Size > 0, r.Method == "POST", r.Method == "PUT", r.Method == "PATCH":
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, bodySize(r), 10)
		b = append(b, "\r\n"...)
	}
	return b
}

func appendField(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, value...), "\r\n"...)
}

// unsized: the body's length shows only at its end, so it is sent in chunks.
func unsized(r *faas.Request) bool { return r.Body != nil && r.Size < 0 }

func bodySize(r *faas.Request) int64 {
	if r.Body == nil {
		return 0
	}
	return r.Size
}

// atHand tells whether all of a sized body can be read without waiting.
func atHand(body io.Reader, size int64) bool {
	switch b := body.(type) {
	case interface{ Buffered() int }:
		return int64(b.Buffered()) >= size
	case interface{ Len() int }:
		return int64(b.Len()) >= size
	}
	return false
}

// ours are fields that this client writes itself, or that end here. Expect was
// answered when the invocation was admitted.
func ours(name string) bool {
	switch len(name) {
	case 4:
		return strings.EqualFold(name, "Host")
	case 6:
		return strings.EqualFold(name, "Expect")
	case 14:
		return strings.EqualFold(name, "Content-Length")
	}
	return hopByHop(name)
}

// hopByHop is by length first: it is asked for every field of every call.
func hopByHop(name string) bool {
	switch len(name) {
	case 2:
		return strings.EqualFold(name, "TE")
	case 7:
		return strings.EqualFold(name, "Trailer") || strings.EqualFold(name, "Upgrade")
	case 10:
		return strings.EqualFold(name, "Connection") || strings.EqualFold(name, "Keep-Alive")
	case 16:
		return strings.EqualFold(name, "Proxy-Connection")
	case 17:
		return strings.EqualFold(name, "Transfer-Encoding")
	case 18:
		return strings.EqualFold(name, "Proxy-Authenticate")
	case 19:
		return strings.EqualFold(name, "Proxy-Authorization")
	}
	return false
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
