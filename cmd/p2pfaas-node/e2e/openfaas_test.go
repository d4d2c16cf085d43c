package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/protocol/client"
)

// front is a node in front of an OpenFaaS gateway.
type front struct {
	*nodetest.Process
	gateway *openfaastest.Gateway
}

// perFront is how many functions are behind each gateway, half of them the same.
const perFront = 20

// newFront starts a gateway with functions shared-0 to -9 and NAME-0 to -9, and
// a node before it.
func newFront(t *testing.T, name string, know ...*nodetest.Process) front {
	t.Helper()
	g := openfaastest.New(t, openfaastest.Options{User: "admin", Password: "of " + name, ScaleFromZero: true})
	for i := range perFront / 2 {
		g.Deploy(fmt.Sprintf("shared-%d", i), "echo")
		g.Deploy(fmt.Sprintf("%s-%d", name, i), "echo")
	}
	return front{node(t, "tcp", know, "--openfaas-url", g.URL(), "--openfaas-auth", secrets(t, "admin", "of "+name)), g}
}

func secrets(t *testing.T, user, password string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"basic-auth-user": user, "basic-auth-password": password} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fronts are A and B, which know each other's functions.
func fronts(t *testing.T) (a, b front) {
	t.Helper()
	b = newFront(t, "b")
	a = newFront(t, "a", b.Process)
	knows(t, a.Process, b.Process, "b-9")
	knows(t, b.Process, a.Process, "a-9")
	return a, b
}

// echoed has a function echo through a node and returns who ran it.
func echoed(p *nodetest.Process, function string) (ran string, status int, err error) {
	body := "for " + function
	resp, err := http.Post(url(p, function)+"/sub/path?x=1", "text/plain", strings.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK && string(got) != body {
		err = fmt.Errorf("%s echoed %q", function, got)
	}
	return resp.Header.Get("X-P2pfaas-Peer"), resp.StatusCode, err
}

// TestOpenFaaS: the functions of two gateways are one mesh's.
func TestOpenFaaS(t *testing.T) {
	a, b := fronts(t)
	for _, p := range []*nodetest.Process{a.Process, b.Process} {
		for i := range perFront / 2 {
			for name, where := range map[string]string{"a": a.Peer, "b": b.Peer, "shared": ""} {
				ran, status, err := echoed(p, fmt.Sprintf("%s-%d", name, i))
				if err != nil || status != http.StatusOK || where != "" && ran != where {
					t.Fatalf("%s-%d: status %d from %s, %v", name, i, status, ran, err)
				}
			}
		}
	}
	t.Run("list", func(t *testing.T) {
		var list []struct{ Name string }
		if err := a.Get("/system/functions", &list); err != nil || len(list) != perFront {
			t.Errorf("%d functions, %v", len(list), err)
		}
		if out := tool(t, a.Process, "functions"); !strings.Contains(out, "shared-9") || !strings.Contains(out, "a-9") {
			t.Errorf("p2pfaas-node functions printed\n%s", out)
		}
	})
	t.Run("SDK", func(t *testing.T) { sdkEchoes(t, a, "b-3") })
	t.Run("deploy", func(t *testing.T) { deployBehind(t, a, b) })
	t.Run("redirect", func(t *testing.T) {
		b.gateway.Deploy("moved", "redirect")
		knows(t, a.Process, b.Process, "moved")
		hc := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := hc.Get(url(a.Process, "moved"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != "https://elsewhere.example/?from=function" {
			t.Errorf("status %d, header %v", resp.StatusCode, resp.Header)
		}
	})
}

func sdkEchoes(t *testing.T, through front, function string) {
	c, err := client.Dialer{Mesh: "e2e"}.Dial(t.Context(), through.Addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	resp, err := c.Invoke(t.Context(), &client.Request{Function: function, Body: bytes.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes came back as %d, %v", len(body), len(got), err)
	}
}

// deployBehind: what is deployed through the node is behind its gateway, and
// what comes and goes there shows in the mesh.
func deployBehind(t *testing.T, a, b front) {
	deploy(t, a.Process, "fresh", "echo", []*nodetest.Process{a.Process, b.Process})
	if n := a.gateway.Requests("PUT /system/functions"); n != 1 {
		t.Errorf("the gateway was asked for %d updates, want 1", n)
	}
	tool(t, a.Process, "remove", "fresh")
	gone(t, b.Process, "fresh")
	a.gateway.Deploy("late", "echo")
	knows(t, b.Process, a.Process, "late")
	if ran, status, err := echoed(b.Process, "late"); ran != a.Peer || status != http.StatusOK || err != nil {
		t.Errorf("status %d from %s, %v", status, ran, err)
	}
	a.gateway.Remove("late")
	gone(t, b.Process, "late")
}

func gone(t *testing.T, p *nodetest.Process, function string) {
	t.Helper()
	nodetest.Eventually(t, function+" is gone", func() error {
		if _, status, err := echoed(p, function); status != http.StatusNotFound {
			return fmt.Errorf("status %d, %w", status, err)
		}
		return nil
	})
}

// TestOpenFaaSOutage: what peers have they answer, the rest is a 503, and all
// is back by itself.
func TestOpenFaaSOutage(t *testing.T) {
	a, b := fronts(t)
	outages := []struct {
		name     string
		down, up func()
	}{
		{"provider", func() { a.gateway.SetProvider(false) }, func() { a.gateway.SetProvider(true) }},
		{"gateway", a.gateway.Stop, a.gateway.Start},
	}
	for n, o := range outages {
		o.down()
		for i := range 30 { // before and after it is noticed
			shared := fmt.Sprintf("shared-%d", i%(perFront/2))
			if ran, status, err := echoed(a.Process, shared); err != nil || status != http.StatusOK || ran != b.Peer {
				t.Errorf("%s down: %s: status %d from %q, %v", o.name, shared, status, ran, err)
			}
			for _, p := range []*nodetest.Process{a.Process, b.Process} {
				if _, status, err := echoed(p, "a-1"); err != nil || status != http.StatusServiceUnavailable {
					t.Errorf("%s down: a-1: status %d, %v", o.name, status, err)
				}
			}
		}
		nodetest.Eventually(t, "the outage is logged", func() error { return logged(a, "OpenFaaS gateway is down", n+1) })
		o.up()
		nodetest.Eventually(t, o.name+" is back", func() error {
			for _, p := range []*nodetest.Process{a.Process, b.Process} {
				if ran, status, err := echoed(p, "a-1"); err != nil || status != http.StatusOK || ran != a.Peer {
					return fmt.Errorf("status %d from %q, %w", status, ran, err)
				}
			}
			return nil
		})
	}
	if err := logged(a, "OpenFaaS gateway is up", len(outages)+1); err != nil {
		t.Error(err)
	}
	var list []struct{ Name string }
	if err := a.Get("/system/functions", &list); err != nil || len(list) != perFront {
		t.Errorf("%d functions afterwards, %v", len(list), err)
	}
}

// logged counts the lines of a node's log that have the text.
func logged(s front, text string, want int) error {
	lines := strings.Split(s.Log(), "\n")
	if n := len(slices.DeleteFunc(lines, func(l string) bool { return !strings.Contains(l, text) })); n != want {
		return fmt.Errorf("%d lines say %q, want %d", n, text, want)
	}
	return nil
}
