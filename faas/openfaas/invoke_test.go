package openfaas_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
)

// shown is an image that tells what it was asked.
func shown() map[string]func() http.Handler {
	return map[string]func() http.Handler{"show": func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Shown", fmt.Sprintf("%s %s?%s %s", r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Get("Authorization")))
		})
	}}
}

func TestPathsAndMethods(t *testing.T) {
	g := gateway(t, openfaastest.Options{Images: shown()})
	g.Deploy("show", "show")
	rt := on(t, g)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} {
		for _, path := range []string{"", "/", "/a/b", "/a%2Fb/%20c", "//double", "/a.b"} {
			r := &faas.Request{Name: named("show"), Method: method, Path: path, Query: "x=1&y=%20", Header: faas.Header{{Name: "Authorization", Value: "Bearer own"}}}
			resp, _, err := invoke(t, rt, r)
			if err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			if path == "" {
				path = "/"
			}
			if diff := cmp.Diff(method+" "+path+"?x=1&y=%20 Bearer own", resp.Header.Get("X-Shown")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
	}
	r := &faas.Request{Name: named("show"), Method: "GET", Path: "no-slash"}
	_, _, err := invoke(t, rt, r)
	wants(t, err, []error{faas.ErrInvalid, faas.ErrNotStarted})
}

// TestRedirect: it is the caller's to follow.
func TestRedirect(t *testing.T) {
	g := gateway(t, openfaastest.Options{})
	g.Deploy("moved", "redirect")
	resp, _, err := invoke(t, on(t, g), &faas.Request{Name: named("moved"), Method: "GET"})
	if err != nil || resp.Status != 302 || resp.Header.Get("Location") != "https://elsewhere.example/?from=function" {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestDeployAnswers(t *testing.T) {
	for _, success := range []int{200, 201, 202, 204} {
		g := gateway(t, openfaastest.Options{Success: success})
		rt := on(t, g)
		f := faas.Function{Name: named("greet"), Image: "hello"}
		for range 2 { // created, then updated
			if err := rt.Deploy(t.Context(), f); err != nil {
				t.Errorf("%d: deploy: %v", success, err)
			}
		}
		if puts, posts := g.Requests("PUT "), g.Requests("POST /system/functions"); puts != 2 || posts != 1 {
			t.Errorf("%d: %d updates and %d creations were sent, want 2 and 1", success, puts, posts)
		}
		if err := rt.Scale(t.Context(), f.Name, 3); err != nil {
			t.Errorf("%d: scale: %v", success, err)
		}
		if err := rt.Remove(t.Context(), f.Name); err != nil {
			t.Errorf("%d: remove: %v", success, err)
		}
		f.Image = "there-is-none"
		wants(t, rt.Deploy(t.Context(), f), []error{faas.ErrInvalid})
	}
}
