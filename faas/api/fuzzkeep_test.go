package api

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
)

// refusedWell fails the test unless an error is the client's mistake, and tells
// whether there is one.
func refusedWell(t *testing.T, err error, body string) bool {
	t.Helper()
	if err != nil && !errors.Is(err, faas.ErrInvalid) && len(body) <= maxBody {
		t.Fatalf("%v does not wrap ErrInvalid", err)
	}
	return err != nil
}

// FuzzSecret: what is accepted may be kept.
func FuzzSecret(f *testing.F) {
	f.Add(`{"name":"token","value":"x"}`, "edge")
	f.Add(`{"name":"token","rawValue":"AP8="}`, "")
	f.Add(`{"name":"../x","namespace":"edge","value":"x"}`, "")
	f.Add(`{"name":"a","value":null,"rawValue":null}`, "..")
	f.Fuzz(func(t *testing.T, body, namespace string) {
		target := "/system/secrets?" + url.Values{"namespace": {namespace}}.Encode()
		s, err := decodeSecret(httptest.NewRecorder(), httptest.NewRequest("POST", target, strings.NewReader(body)))
		if refusedWell(t, err, body) {
			return
		}
		if err := s.Validate(); err != nil || len(s.Value) == 0 {
			t.Fatalf("%+v accepted: %v", s, err)
		}
		again, err := decodeSecretName(httptest.NewRecorder(), httptest.NewRequest("DELETE", target, strings.NewReader(body)))
		if err != nil || again.Name != s.Name || again.Namespace != s.Namespace {
			t.Fatalf("created as %q in %q, removed as %q in %q: %v", s.Name, s.Namespace, again.Name, again.Namespace, err)
		}
	})
}

// FuzzNamespace: wherever the name stands.
func FuzzNamespace(f *testing.F) {
	f.Add(`{"name":"edge","labels":{"a":"b"}}`, "")
	f.Add(``, "edge")
	f.Add(`{"name":"edge","annotations":null}`, "edge")
	f.Add(`null`, "a.b")
	f.Fuzz(func(t *testing.T, body, name string) {
		r := httptest.NewRequest("POST", "/system/namespace/", strings.NewReader(body))
		r.SetPathValue("name", name)
		n, err := decodeNamespace(httptest.NewRecorder(), r)
		if refusedWell(t, err, body) {
			return
		}
		if faas.ValidateNamespace(n.Name) != nil || name != "" && n.Name != name {
			t.Fatalf("namespace %q accepted for path %q and body %q", n.Name, name, body)
		}
	})
}

func FuzzLogQuery(f *testing.F) {
	f.Add("name=talk&tail=5&follow=1&since=2020-01-01T00:00:00Z")
	f.Add("name=talk.edge&namespace=edge&instance=a&tail=-1&follow=false")
	f.Add("name=..&tail=99999999999999999999")
	f.Fuzz(func(t *testing.T, raw string) {
		query, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := decodeLogQuery(query)
		if refusedWell(t, err, "") {
			return
		}
		if q.Name.Validate() != nil || q.Tail == 0 || q.Tail < -1 || q.Follow && query.Get("follow") == "" {
			t.Fatalf("%q is %+v", raw, q)
		}
	})
}

// FuzzAlert: each alert that is accepted is of a function, and moves its
// replicas the right way within its bounds.
func FuzzAlert(f *testing.F) {
	f.Add(`{"alerts":[{"status":"firing","labels":{"function_name":"a.b"}},{"status":"resolved","labels":{"function_name":"a"}}]}`, 3, "1", "5", "20")
	f.Add(`{"alerts":null}`, 0, "9", "", "0")
	f.Add(`{"alerts":[{"labels":{"function_name":7}}]}`, 9, "x", "-1", "1000")
	f.Fuzz(func(t *testing.T, body string, replicas int, least, most, factor string) {
		list, err := decodeAlerts(httptest.NewRecorder(), httptest.NewRequest("POST", "/system/alert", strings.NewReader(body)))
		if !refusedWell(t, err, body) && len(list) == 0 {
			t.Fatalf("%q accepted without an alert", body)
		}
		for _, one := range list {
			if err := one.name.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		replicas = max(replicas, 0) % maxLabel
		b := newBounds(map[string]string{"com.openfaas.scale.min": least, "com.openfaas.scale.max": most, "com.openfaas.scale.factor": factor})
		up, down := b.after(replicas, true), b.after(replicas, false)
		if b.factor != 0 && (up > b.max || up < b.min || up < min(replicas, b.max)) || down > replicas || down < min(replicas, b.min) {
			t.Fatalf("%d replicas within %+v: %d when firing, %d when resolved", replicas, b, up, down)
		}
	})
}
