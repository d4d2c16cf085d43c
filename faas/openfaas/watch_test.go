package openfaas_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
)

// TestChangesShow: what others do behind the gateway is told, and told again
// until it has been heard.
func TestChangesShow(t *testing.T) {
	g := gateway(t, openfaastest.Options{})
	g.Deploy("old", "hello")
	c := config(t, g.URL())
	var rt *openfaas.Runtime
	var told, deaf atomic.Int32
	seen := make(chan []string, 100)
	c.Changed = func(ctx context.Context) error {
		told.Add(1)
		if deaf.Add(-1) >= 0 {
			return errors.New("busy")
		}
		list, err := rt.List(ctx, "")
		seen <- names(list)
		return err
	}
	rt = start(t, c)
	hears := func(want ...string) {
		t.Helper()
		select {
		case got := <-seen:
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("functions (-want +got):\n%s", diff)
			}
		case <-time.After(patience):
			t.Fatalf("nobody was told of %v", want)
		}
	}
	deaf.Store(2)
	g.Deploy("new", "hello")
	hears("new", "old")
	g.Remove("old")
	hears("new")
	g.Deploy("new", "echo") // another image
	hears("new")
	time.Sleep(5 * c.Interval)
	if n := told.Load(); n != 5 || len(seen) != 0 {
		t.Errorf("told %d times, %d of them not asked for; want 5 and 0", n, len(seen))
	}
}

// TestGatewayDownAndBack: it may be the provider or the gateway itself.
func TestGatewayDownAndBack(t *testing.T) {
	g := gateway(t, openfaastest.Options{ScaleFromZero: true})
	g.Deploy("greet", "hello")
	rt := on(t, g)
	outages := []struct {
		name     string
		down, up func()
	}{
		{"provider", func() { g.SetProvider(false) }, func() { g.SetProvider(true) }},
		{"gateway", g.Stop, g.Start},
	}
	for _, o := range outages {
		o.down()
		until(t, o.name+" counts as down", func() bool { return !isUp(rt) })
		before := g.Requests("POST /function/")
		_, _, err := invoke(t, rt, post(named("greet"), "x"))
		wants(t, err, []error{faas.ErrUnavailable, faas.ErrNotStarted}, faas.ErrNotFound)
		if g.Requests("POST /function/") != before {
			t.Errorf("%s: a gateway that is down was asked to invoke", o.name)
		}
		_, err = rt.List(t.Context(), "")
		wants(t, err, []error{faas.ErrUnavailable})
		wants(t, rt.Deploy(t.Context(), faas.Function{Name: named("f"), Image: "hello"}), []error{faas.ErrUnavailable})
		_, err = rt.Get(t.Context(), named("greet"))
		wants(t, err, []error{faas.ErrUnavailable}, faas.ErrNotFound)
		o.up()
		until(t, o.name+" counts as up again", func() bool { return isUp(rt) })
		if resp, _, err := invoke(t, rt, post(named("greet"), "x")); err != nil || resp.Status != 200 {
			t.Errorf("%s back: %v, %v", o.name, resp, err)
		}
	}
}

// TestFirstToNotice: an invocation that does not reach the gateway is safe to
// run elsewhere, before the watcher knows.
func TestFirstToNotice(t *testing.T) {
	g := gateway(t, openfaastest.Options{})
	g.Deploy("greet", "hello")
	rt := unwatched(t, g)
	if _, _, err := invoke(t, rt, post(named("greet"), "x")); err != nil { // leaves a connection
		t.Fatal(err)
	}
	g.Stop()
	_, _, err := invoke(t, rt, post(named("greet"), "x"))
	wants(t, err, []error{faas.ErrUnavailable, faas.ErrNotStarted}, faas.ErrNotFound)
}

// TestStartsWithoutGateway: both may start with the machine, in any order.
func TestStartsWithoutGateway(t *testing.T) {
	g := gateway(t, openfaastest.Options{})
	g.Deploy("greet", "hello")
	g.Stop()
	rt := on(t, g)
	_, err := rt.Info(t.Context())
	wants(t, err, []error{faas.ErrUnavailable})
	g.Start()
	until(t, "it is up", func() bool { return isUp(rt) })
	until(t, "its functions show", func() bool { return cmp.Equal(listed(t, rt), []string{"greet"}) })
	info, err := rt.Info(t.Context())
	if diff := cmp.Diff(faas.Info{Name: "openfaas", Version: "0.27.0"}, info); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestWrongCredentials: invocations need none, all else says what is wrong.
func TestWrongCredentials(t *testing.T) {
	g := gateway(t, openfaastest.Options{Strangers: true})
	g.Deploy("greet", "hello")
	c := config(t, g.URL())
	c.Place.Credentials.Password = "another"
	rt := start(t, c)
	_, err := rt.List(t.Context(), "")
	wants(t, err, []error{faas.ErrUnavailable})
	if !openfaas.RefusesCredentials(err) {
		t.Errorf("error %v does not say that the credentials are wrong", err)
	}
	if resp, _, err := invoke(t, rt, post(named("greet"), "x")); err != nil || resp.Status != 200 {
		t.Errorf("invocation: %v, %v", resp, err)
	}
}
