package openfaas_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
)

// unwatched is a Runtime that looks at its gateway at start only, so that the
// test's own calls are what meets an outage.
func unwatched(t *testing.T, g *openfaastest.Gateway) *openfaas.Runtime {
	t.Helper()
	c := config(t, g.URL())
	c.Interval, c.Suspect = time.Hour, time.Hour
	return start(t, c)
}

// TestOutageLooksLike404: with scale_from_zero.
func TestOutageLooksLike404(t *testing.T) {
	g := gateway(t, openfaastest.Options{ScaleFromZero: true})
	g.Deploy("greet", "hello")
	rt := unwatched(t, g)
	g.SetProvider(false)
	for _, method := range []string{"GET", "POST", "HEAD"} {
		_, _, err := invoke(t, rt, &faas.Request{Name: named("greet"), Method: method})
		wants(t, err, []error{faas.ErrUnavailable, faas.ErrNotStarted}, faas.ErrNotFound)
	}
	g.SetProvider(true)
	if resp, _, err := invoke(t, rt, post(named("greet"), "x")); err != nil || resp.Status != 200 {
		t.Errorf("after the outage: %v, %v", resp, err)
	}
	if diff := cmp.Diff([]string{"greet"}, listed(t, rt)); diff != "" {
		t.Errorf("functions after an outage (-want +got):\n%s", diff)
	}
}

// TestAbsent: a function that is gone is not an outage, whatever the gateway's
// way to say so.
func TestAbsent(t *testing.T) {
	for _, scaleFromZero := range []bool{false, true} {
		g := gateway(t, openfaastest.Options{ScaleFromZero: scaleFromZero})
		g.Deploy("greet", "hello")
		rt := on(t, g)
		g.Remove("greet")
		for _, method := range []string{"GET", "POST", "HEAD"} {
			_, _, err := invoke(t, rt, &faas.Request{Name: named("greet"), Method: method})
			wants(t, err, []error{faas.ErrNotFound, faas.ErrNotStarted}, faas.ErrUnavailable)
		}
		until(t, "it is not listed any more", func() bool { return len(listed(t, rt)) == 0 })
		if !isUp(rt) {
			t.Error("an absent function counts as an outage")
		}
	}
}

// answering makes an image whose every answer is the same.
func answering(status int, fields, body string) func() http.Handler {
	return func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if fields != "" {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				w.Header().Set("X-OpenFaaS-Internal", fields)
			} else if body != "" {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
}

// TestOwnAnswers: what a function answers is passed on, however much it looks
// like the platform's.
func TestOwnAnswers(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
	}{
		{"not-found", 404, "no such page\n"},
		{"empty", 404, ""},
		{"short", 404, "error"},
		{"like", 404, "error finding function lik\n"},
		{"another", 404, "error finding function another-one.openfaas-fn: dial tcp: connection refused\n"},
		{"within", 404, "404: error finding function within.openfaas-fn: …\n"},
		{"broken", 500, "oops\n"},
		{"bad", 502, "my own upstream is bad\n"},
		{"busy", 429, "slow down\n"},
		{"closed", 503, "closed\n"},
	}
	images := map[string]func() http.Handler{}
	for _, tt := range tests {
		images[tt.name] = answering(tt.status, "", tt.body)
	}
	g := gateway(t, openfaastest.Options{ScaleFromZero: true, Images: images})
	rt := on(t, g)
	for _, tt := range tests {
		g.Deploy(tt.name, tt.name)
		resp, body, err := invoke(t, rt, post(named(tt.name), "x"))
		if err != nil || resp.Status != tt.status || body != tt.body {
			t.Errorf("%s: %v, %q, %v", tt.name, resp, body, err)
		}
		if resp, _, err := invoke(t, rt, &faas.Request{Name: named(tt.name), Method: "HEAD"}); err != nil || resp.Status != tt.status {
			t.Errorf("HEAD %s: %v, %v", tt.name, resp, err)
		}
	}
}

// TestPlatformAnswers: which of the platform's errors leave no doubt that the
// function did not run.
func TestPlatformAnswers(t *testing.T) {
	tests := []struct {
		name, internal, body string
		status               int
		notStarted           bool
	}{
		{"timed-out", "", "", 502, false},
		{"watchdog", "of-watchdog", "unable to reach the function", 502, false},
		{"unreachable", "proxy", "Can't reach service for: unreachable.", 500, false},
		{"nowhere", "proxy", "No endpoints available for: nowhere.", 503, true},
		{"limit", "of-watchdog", "Concurrent request limit exceeded.", 429, true},
	}
	images := map[string]func() http.Handler{}
	for _, tt := range tests {
		images[tt.name] = answering(tt.status, tt.internal, tt.body)
	}
	g := gateway(t, openfaastest.Options{Images: images})
	rt := on(t, g)
	for _, tt := range tests {
		g.Deploy(tt.name, tt.name)
		_, _, err := invoke(t, rt, post(named(tt.name), "x"))
		if tt.notStarted {
			wants(t, err, []error{faas.ErrNotStarted}, faas.ErrNotFound)
		} else if err == nil {
			t.Errorf("%s: no error", tt.name)
		} else {
			wants(t, err, nil, faas.ErrNotStarted, faas.ErrUnavailable, faas.ErrNotFound)
		}
	}
}

// TestOutageIs502: without scale_from_zero, until the watcher has noticed.
func TestOutageIs502(t *testing.T) {
	g := gateway(t, openfaastest.Options{})
	g.Deploy("greet", "hello")
	rt := unwatched(t, g)
	g.SetProvider(false)
	_, _, err := invoke(t, rt, post(named("greet"), "x"))
	if err == nil {
		t.Fatal("no error")
	}
	wants(t, err, nil, faas.ErrNotStarted, faas.ErrNotFound)
}

// TestWithoutPrometheus: the list is gone, the functions are not.
func TestWithoutPrometheus(t *testing.T) {
	g := gateway(t, openfaastest.Options{ScaleFromZero: true, Namespaces: []string{"other"}})
	g.Deploy("one", "hello")
	g.Deploy("two", "hello")
	rt := on(t, g)
	g.SetPrometheus(false)
	until(t, "the list breaks off", func() bool {
		return g.Requests("GET /system/function/one") > 0
	})
	if diff := cmp.Diff([]string{"one", "two"}, listed(t, rt)); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	g.Remove("two")
	g.Deploy("three", "hello")
	until(t, "a removal shows", func() bool { return !slices.Contains(listed(t, rt), "two") })
	if _, err := rt.Get(t.Context(), named("three")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one", "three"}, listed(t, rt)); diff != "" {
		t.Errorf("functions once one was asked for (-want +got):\n%s", diff)
	}
	if n := g.Requests("GET /system/functions"); n > 20 {
		t.Errorf("a list that breaks off was asked for %d times", n)
	}
	g.SetPrometheus(true)
	g.Deploy("four", "hello")
	until(t, "it lists again", func() bool { return slices.Contains(listed(t, rt), "four") })
}

// TestStatusIsCheap: who asks at once shares one request, and who asks for a
// running function again soon makes none.
func TestStatusIsCheap(t *testing.T) {
	g := gateway(t, openfaastest.Options{})
	g.Deploy("greet", "hello")
	rt := unwatched(t, g)
	before := g.Requests("GET /system/function/")
	began := time.Now()
	var askers sync.WaitGroup
	for range 50 {
		askers.Go(func() {
			for range 20 {
				if _, err := rt.Get(t.Context(), named("greet")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	askers.Wait()
	allowed := 2 + int(4*time.Since(began)/time.Second) + int(time.Since(began)/(200*time.Millisecond))
	if n := g.Requests("GET /system/function/") - before; n > allowed {
		t.Errorf("1000 questions made %d requests, want at most %d", n, allowed)
	}
}

// TestCallID: the gateway does not echo what it was sent; the function gets it.
func TestCallID(t *testing.T) {
	g := gateway(t, openfaastest.Options{Images: map[string]func() http.Handler{"id": func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, r.Header["X-Call-Id"])
		})
	}}})
	g.Deploy("id", "id")
	rt := on(t, g)
	r := post(named("id"), "x")
	r.CallID = "mine"
	resp, body, err := invoke(t, rt, r)
	if err != nil || body != "[mine]" || resp.Header.Has("X-Call-Id") {
		t.Errorf("%q, %v, %v", body, resp, err)
	}
	resp, body, err = invoke(t, rt, post(named("id"), "x"))
	if err != nil || body != "["+resp.Header.Get("X-Call-Id")+"]" {
		t.Errorf("without one: %q, %v, %v", body, resp, err)
	}
}

// TestNamespaces: what follows the last dot.
func TestNamespaces(t *testing.T) {
	g := gateway(t, openfaastest.Options{Namespaces: []string{"other"}})
	rt := on(t, g)
	there := faas.Name{Function: "greet", Namespace: "other"}
	for _, n := range []faas.Name{named("greet"), there} {
		if err := rt.Deploy(t.Context(), faas.Function{Name: n, Image: "hello"}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"greet", "greet.other"}, listed(t, rt)); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	if err := rt.Remove(t.Context(), named("greet")); err != nil {
		t.Fatal(err)
	}
	if resp, _, err := invoke(t, rt, post(there, "x")); err != nil || resp.Status != 200 {
		t.Errorf("function of another namespace: %v, %v", resp, err)
	}
	_, _, err := invoke(t, rt, post(named("greet"), "x"))
	wants(t, err, []error{faas.ErrNotFound})
	err = rt.Deploy(t.Context(), faas.Function{Name: faas.Name{Function: "f", Namespace: "nowhere"}, Image: "hello"})
	wants(t, err, []error{faas.ErrInvalid})
}

// TestCommunity: that edition knows one namespace, and keeps 1 to 5 replicas
// whatever it is asked for.
func TestCommunity(t *testing.T) {
	g := gateway(t, openfaastest.Options{Community: true})
	g.Deploy("greet", "hello")
	rt := on(t, g)
	if diff := cmp.Diff([]string{"greet"}, listed(t, rt)); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	for asked, want := range map[int]int{0: 1, 3: 3, 9: 5} {
		if err := rt.Scale(t.Context(), named("greet"), asked); err != nil {
			t.Fatal(err)
		}
		if s, err := rt.Get(t.Context(), named("greet")); err != nil || s.Replicas != want {
			t.Errorf("scaled to %d: %d replicas, want %d; %v", asked, s.Replicas, want, err)
		}
	}
}
