package openfaastest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// invoke serves /function/NAME[.NAMESPACE][/PATH].
func (g *Gateway) invoke(w http.ResponseWriter, r *http.Request) {
	g.inspect(r)
	called, rest := splitPath(r.URL.EscapedPath())
	n := g.parse(called)
	g.stamp(w, r)
	f, err := g.lookUp(n)
	if err != nil {
		http.Error(w, fmt.Sprintf("error finding function %s.%s: %v", n.function, n.namespace, err), http.StatusNotFound)
		return
	}
	if up, _ := g.state(); !up {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if f == nil || g.asleep(f) {
		w.Header().Set("X-OpenFaaS-Internal", "proxy")
		http.Error(w, "No endpoints available for: "+called+".", http.StatusServiceUnavailable)
		return
	}
	f.call(w, r, rest)
}

// lookUp finds a function; with scale_from_zero a failure is an error, without
// it the provider will tell.
func (g *Gateway) lookUp(n name) (*function, error) {
	f := g.find(n)
	if !g.options.ScaleFromZero {
		return f, nil
	}
	if up, _ := g.state(); !up {
		//lint:ignore ST1005 it is the gateway's text
		return nil, fmt.Errorf("Get \"http://127.0.0.1:8081/system/function/%s?namespace=%s\": dial tcp 127.0.0.1:8081: connect: connection refused", n.function, n.namespace)
	}
	if f == nil {
		return nil, fmt.Errorf("server returned non-200 status code (404) for function, %s, body: function not found", n.function)
	}
	g.wake(f)
	return f, nil
}

// call has the function answer; its path begins behind its name. The request
// is changed in place: a copy would not get the trailer.
func (f *function) call(w http.ResponseWriter, r *http.Request, rest string) {
	if rest == "" {
		rest = "/"
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.URL.Path, r.URL.RawPath = path, rest
	if !strings.HasPrefix(r.URL.Path, "/_/") {
		f.calls.Add(1)
	}
	f.handler.ServeHTTP(w, r)
	// A full-duplex handler that leaves a body unread breaks net/http's server.
	_, _ = io.CopyN(io.Discard, r.Body, maxUnread)
}

// maxUnread is how much of a body that its function did not read is read for
// it, in bytes.
const maxUnread = 256 << 10

// stamp adds what the gateway adds: X-Call-Id to the request, and to the answer
// only if it made it.
func (g *Gateway) stamp(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Header.Get("X-Call-Id") == "" {
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		r.Header.Set("X-Call-Id", hex.EncodeToString(id[:]))
		h.Set("X-Call-Id", r.Header.Get("X-Call-Id"))
	}
	now := strconv.FormatInt(time.Now().UTC().UnixNano(), 10)
	r.Header.Set("X-Start-Time", now)
	h.Set("X-Start-Time", now)
	h.Set("X-Served-By", "openfaas-ce/0.27.0")
}

// inspect fails the test on what no client should send to a function.
func (g *Gateway) inspect(r *http.Request) {
	if user, _, ok := r.BasicAuth(); ok && user == g.options.User {
		g.t.Errorf("fake gateway: its credentials are sent to %s", r.URL.Path)
	}
	for _, field := range []string{"X-Call-Id", "X-Start-Time", "X-Forwarded-Host", "Content-Type", "Authorization"} {
		if n := len(r.Header.Values(field)); n > 1 {
			g.t.Errorf("fake gateway: %s has field %s %d times", r.URL.Path, field, n)
		}
	}
	if r.Host != g.addr {
		g.t.Errorf("fake gateway: %s is asked for at host %q", r.URL.Path, r.Host)
	}
}

func (g *Gateway) parse(called string) name {
	n := name{called, defaultNamespace}
	if i := strings.LastIndexByte(called, '.'); i >= 0 {
		n = name{called[:i], called[i+1:]}
	}
	if !label.MatchString(n.function) || !label.MatchString(n.namespace) {
		g.t.Errorf("fake gateway: function %q in namespace %q is invoked", n.function, n.namespace)
	}
	return n
}

// splitPath takes apart "/function/NAME/rest"; rest keeps its escapes.
func splitPath(escaped string) (called, rest string) {
	called = strings.TrimPrefix(escaped, "/function/")
	if i := strings.IndexByte(called, '/'); i >= 0 {
		called, rest = called[:i], called[i:]
	}
	return called, rest
}
