package node

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/faastest"
	"github.com/p2pfaas/p2pfaas/protocol/host"
)

// lived is a runtime that notes how it is treated.
type lived struct {
	faastest.Fake
	life []string
}

func (l *lived) Start(context.Context) error {
	l.life = append(l.life, "start")
	return nil
}

func (l *lived) Close() error {
	l.life = append(l.life, "close")
	return l.Fake.Close()
}

// TestParts: a program that embeds a node brings its own runtime, changes the host,
// and serves the routes itself.
func TestParts(t *testing.T) {
	rt := new(lived)
	if err := rt.Deploy(t.Context(), faas.Function{Name: faas.Name{Function: "echo", Namespace: faas.DefaultNamespace}, Image: "fake"}); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.DataDir, c.HTTP, c.Auth, c.MDNS, c.Listen = t.TempDir(), HTTPNone, AuthNone, false, []string{"/ip4/127.0.0.1/tcp/0"}
	n, err := NewWith(c, Parts{Runtime: rt, Host: func(c *host.Config) { c.Mesh = "changed" }})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := n.Ready(); r.HTTP != "none" || r.Runtime != "given" || n.host.Mesh() != "changed" {
		t.Errorf("ready: %+v in mesh %s", r, n.host.Mesh())
	}
	w := httptest.NewRecorder()
	n.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/function/echo", strings.NewReader("hello")))
	if w.Code != 200 || w.Body.String() != "hello" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if err := n.Drain(t.Context()); err != nil {
		t.Errorf("drain: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if got := strings.Join(rt.life, " "); got != "start close" {
		t.Errorf("runtime: %s", got)
	}
}
