package node

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// standalone is a node that knows nobody, before its start.
func standalone(t *testing.T, url string) *Node {
	t.Helper()
	c := Default()
	c.DataDir, c.HTTP, c.Listen = t.TempDir(), "127.0.0.1:0", []string{"/ip4/127.0.0.1/tcp/0"}
	c.MDNS, c.OpenFaaSURL, c.OpenFaaSAuth = false, url, openfaas.NoCredentials
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// TestChooseRuntime: the gateway that was named is used, down or not.
func TestChooseRuntime(t *testing.T) {
	up, down := openfaastest.New(t, openfaastest.Options{}), openfaastest.New(t, openfaastest.Options{})
	up.Deploy("greet", "hello")
	down.Stop()
	tests := []struct{ name, url, runtime, functions string }{
		{"none", OpenFaaSNone, runtimeEmbedded, ""},
		{"up", up.URL(), runtimeOpenFaaS, "greet"},
		{"down", down.URL(), runtimeOpenFaaS, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := standalone(t, tt.url)
			if err := n.startRuntime(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := n.Ready().Runtime; got != tt.runtime {
				t.Errorf("runtime %q, want %q", got, tt.runtime)
			}
			if got := strings.Join(n.dispatcher.functions.names(), " "); got != tt.functions {
				t.Errorf("functions %q, want %q", got, tt.functions)
			}
		})
	}
}

// TestChooseUnnamed: where nothing is configured, the port of OpenFaaS decides.
func TestChooseUnnamed(t *testing.T) {
	free, err := net.Listen("tcp", strings.TrimPrefix(openfaas.DefaultURL, "http://"))
	if err != nil {
		t.Skipf("the port of OpenFaaS is in use here: %v", err)
	}
	_ = free.Close()
	choose := func(want string) {
		t.Helper()
		n := standalone(t, "")
		if err := n.startRuntime(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := n.Ready().Runtime; got != want {
			t.Errorf("runtime %q, want %q", got, want)
		}
	}
	choose(runtimeEmbedded)
	g := openfaastest.New(t, openfaastest.Options{Addr: free.Addr().String()})
	choose(runtimeOpenFaaS)
	g.SetProvider(false)
	choose(runtimeEmbedded)
}

// TestWeights: behind a gateway an invocation costs this node little, unless
// its function says otherwise.
func TestWeights(t *testing.T) {
	g := openfaastest.New(t, openfaastest.Options{})
	n := standalone(t, g.URL())
	if err := n.startRuntime(t.Context()); err != nil {
		t.Fatal(err)
	}
	annotated := map[string]string{faas.AnnotationWeight: "2"}
	for name, f := range map[string]faas.Function{"light": {}, "heavy": {Annotations: annotated}} {
		f.Name, f.Image = faas.Name{Function: name, Namespace: faas.DefaultNamespace}, "hello"
		if err := n.runtime.Deploy(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]float64{"light": gatewayWeight, "heavy": 2} {
		if got := n.dispatcher.functions.get(name); got == nil || got.weight != want {
			t.Errorf("%s: %+v, want weight %v", name, got, want)
		}
	}
}

// TestSeek: a gateway without Prometheus cannot list, but has what is called.
func TestSeek(t *testing.T) {
	g := openfaastest.New(t, openfaastest.Options{})
	g.SetPrometheus(false)
	g.Deploy("hidden", "hello")
	n := standalone(t, g.URL())
	if err := n.startRuntime(t.Context()); err != nil {
		t.Fatal(err)
	}
	fn, err := n.dispatcher.own(t.Context(), "hidden")
	if err != nil || fn == nil || n.dispatcher.functions.get("hidden") == nil {
		t.Errorf("%v, %v", fn, err)
	}
	if fn, err := n.dispatcher.own(t.Context(), "absent"); fn != nil || err != nil {
		t.Errorf("absent: %v, %v", fn, err)
	}
	g.Stop()
	eventually(t, "the outage shows", func() bool {
		_, err := n.runtime.Info(context.Background())
		return err != nil
	})
	_, err = n.dispatcher.own(t.Context(), "absent")
	var e *invoke.Error
	if !errors.Is(err, faas.ErrUnavailable) || !errors.As(runError(err), &e) || e.Code != invoke.CodeUnavailable {
		t.Errorf("in an outage: %v", err)
	}
	if n.dispatcher.functions.get("hidden") == nil {
		t.Error("an outage made a function forgotten")
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}
