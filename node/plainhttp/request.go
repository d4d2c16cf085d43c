package plainhttp

import (
	"net/http"
	"net/url"
	"strings"
)

// fill makes the request of a head that lies at the beginning of b, whose names it
// changes to canonical ones. False if net/http shall say what is wrong with it.
func (g *gear) fill(r *http.Request, u *url.URL, b []byte) bool {
	h := &g.head
	for i := range h.fields {
		canonical(h.names[i].of(b))
	}
	text := string(b[:h.end]) // all strings are parts of it
	target := h.target.in(text)
	if !parseTarget(u, target) {
		return false
	}
	r.Method, r.URL, r.RequestURI, r.Host = h.method, u, target, h.host.in(text)
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.ContentLength, r.Close = h.size, h.close
	r.Header = g.request
	for i := range h.fields {
		name, value := h.names[i].in(text), h.values[i].in(text)
		if before, ok := r.Header[name]; ok {
			r.Header[name] = append(before, value)
			continue
		}
		g.values[i] = value
		r.Header[name] = g.values[i : i+1 : i+1]
	}
	return true
}

// canonical is [textproto.CanonicalMIMEHeaderKey] of a token, in place.
func canonical(name []byte) {
	upper := true
	for i, c := range name {
		if upper && 'a' <= c && c <= 'z' {
			name[i] = c - 'a' + 'A'
		} else if !upper && 'A' <= c && c <= 'Z' {
			name[i] = c - 'A' + 'a'
		}
		upper = c == '-'
	}
}

// parseTarget is [url.ParseRequestURI] of a visible text that begins with a slash.
func parseTarget(u *url.URL, target string) bool {
	path, query, _ := strings.Cut(target, "?")
	if !isPlainPath(path) || strings.HasSuffix(target, "?") {
		parsed, err := url.ParseRequestURI(target)
		if err != nil {
			return false
		}
		*u = *parsed
		return true
	}
	u.Path, u.RawQuery = path, query
	return true
}

// isPlainPath tells whether a path is its own escaped form, see [url.URL.EscapedPath].
func isPlainPath(path string) bool {
	for i := range len(path) {
		if !plainPath[path[i]] {
			return false
		}
	}
	return true
}

var plainPath = func() (t [256]bool) {
	const others = "-_.~$&+,/:;=@"
	for c := range 128 {
		t[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(others, byte(c)) >= 0
	}
	return t
}()
