package openfaas_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
)

func secret(name, value string) faas.Secret {
	return faas.Secret{Name: name, Namespace: faas.DefaultNamespace, Value: []byte(value)}
}

// TestSecretsPassThrough: whatever their bytes, and however the gateway says
// that it worked.
func TestSecretsPassThrough(t *testing.T) {
	for _, success := range []int{200, 201, 202, 204} {
		g := gateway(t, openfaastest.Options{Success: success, Namespaces: []string{"edge"}})
		rt := on(t, g)
		for name, value := range map[string]string{"text": "grüße\n", "bytes": "\x00\xff\xfe"} {
			if err := rt.CreateSecret(t.Context(), secret(name, value)); err != nil {
				t.Fatal(err)
			}
			if got, found := g.Secret(name); !found || got != value {
				t.Errorf("secret %q arrived as %q", value, got)
			}
		}
		wants(t, rt.CreateSecret(t.Context(), secret("text", "x")), []error{faas.ErrExists})
		wants(t, rt.UpdateSecret(t.Context(), secret("none", "x")), []error{faas.ErrNotFound})
		if err := rt.UpdateSecret(t.Context(), secret("text", "new")); err != nil {
			t.Fatal(err)
		}
		if got, _ := g.Secret("text"); got != "new" {
			t.Errorf("the value is %q after an update", got)
		}
		if err := rt.CreateSecret(t.Context(), faas.Secret{Name: "text", Namespace: "edge", Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		list, err := rt.Secrets(t.Context(), "")
		want := []faas.Secret{{Name: "bytes", Namespace: "openfaas-fn"}, {Name: "text", Namespace: "edge"}, {Name: "text", Namespace: "openfaas-fn"}}
		if diff := cmp.Diff(want, list); err != nil || diff != "" {
			t.Errorf("%v, secrets (-want +got):\n%s", err, diff)
		}
		if err := rt.DeleteSecret(t.Context(), "edge", "text"); err != nil {
			t.Fatal(err)
		}
		wants(t, rt.DeleteSecret(t.Context(), "edge", "text"), []error{faas.ErrNotFound})
	}
}

// TestCommunityManages: that edition has one namespace, and does not say what a
// function uses.
func TestCommunityManages(t *testing.T) {
	g := gateway(t, openfaastest.Options{Community: true})
	g.Deploy("greet", "hello")
	rt := on(t, g)
	_, err := rt.Namespaces(t.Context())
	wants(t, err, []error{faas.ErrUnsupported}, faas.ErrNotFound)
	_, err = rt.Namespace(t.Context(), "edge")
	wants(t, err, []error{faas.ErrUnsupported}, faas.ErrNotFound)
	for _, change := range []func(context.Context, faas.Namespace) error{rt.CreateNamespace, rt.UpdateNamespace} {
		wants(t, change(t.Context(), faas.Namespace{Name: "edge"}), []error{faas.ErrUnsupported}, faas.ErrNotFound)
	}
	wants(t, rt.DeleteNamespace(t.Context(), "edge"), []error{faas.ErrUnsupported}, faas.ErrNotFound)
	_, err = rt.Usage(t.Context(), named("greet"))
	wants(t, err, []error{faas.ErrUnsupported})
	if err := rt.CreateSecret(t.Context(), secret("token", "x")); err != nil {
		t.Error(err)
	}
	list, err := rt.Secrets(t.Context(), "")
	if diff := cmp.Diff([]faas.Secret{{Name: "token", Namespace: "openfaas-fn"}}, list); err != nil || diff != "" {
		t.Errorf("%v, secrets (-want +got):\n%s", err, diff)
	}
}

func TestUsage(t *testing.T) {
	g := gateway(t, openfaastest.Options{})
	g.Deploy("greet", "hello")
	rt := on(t, g)
	got, err := rt.Usage(t.Context(), named("greet"))
	if diff := cmp.Diff(faas.Usage{CPU: .25, Memory: 64 << 20}, got); err != nil || diff != "" {
		t.Errorf("%v, usage (-want +got):\n%s", err, diff)
	}
	_, err = rt.Usage(t.Context(), named("none"))
	wants(t, err, []error{faas.ErrNotFound})
}

// TestOutageWhileManaging is told as one, whatever was asked for.
func TestOutageWhileManaging(t *testing.T) {
	for name, down := range map[string]func(*openfaastest.Gateway){
		"provider": func(g *openfaastest.Gateway) { g.SetProvider(false) },
		"gateway":  func(g *openfaastest.Gateway) { g.Stop() },
	} {
		g := gateway(t, openfaastest.Options{})
		g.Deploy("greet", "hello")
		rt := unwatched(t, g)
		down(g)
		time.Sleep(300 * time.Millisecond) // what was known is too old now
		_, logs := rt.Logs(t.Context(), faas.LogQuery{Name: named("greet"), Tail: -1})
		_, secrets := rt.Secrets(t.Context(), "")
		_, namespaces := rt.Namespaces(t.Context())
		for _, err := range []error{logs, secrets, namespaces, rt.DeleteSecret(t.Context(), "openfaas-fn", "x"), rt.UpdateNamespace(t.Context(), faas.Namespace{Name: "x"})} {
			if !errors.Is(err, faas.ErrUnavailable) {
				t.Errorf("%s down: %v", name, err)
			}
		}
	}
}

// texts reads a log until it ends, or there are that many lines.
func texts(t *testing.T, rt *openfaas.Runtime, ctx context.Context, q faas.LogQuery, most int) []string {
	t.Helper()
	lines, err := rt.Logs(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line, err := range lines {
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, line.Instance+":"+line.Text); len(all) == most {
			break
		}
	}
	return all
}

func TestLogsPassThrough(t *testing.T) {
	g := gateway(t, openfaastest.Options{ScaleFromZero: true})
	g.Deploy("talk", "say")
	rt := on(t, g)
	g.Write("talk", "a", "early")
	time.Sleep(10 * time.Millisecond)
	middle := time.Now()
	for i := range 3 {
		g.Write("talk", "b", fmt.Sprint(i))
	}
	ctx := t.Context()
	for _, tt := range []struct {
		query faas.LogQuery
		want  []string
	}{
		{faas.LogQuery{Tail: -1}, []string{"a:early", "b:0", "b:1", "b:2"}},
		{faas.LogQuery{Tail: 2}, []string{"b:1", "b:2"}},
		{faas.LogQuery{Tail: 0}, nil},
		{faas.LogQuery{Tail: -1, Instance: "a"}, []string{"a:early"}},
		{faas.LogQuery{Tail: -1, Since: middle}, []string{"b:0", "b:1", "b:2"}}, // by less than a second
		{faas.LogQuery{Tail: -1, Since: middle.Add(time.Hour)}, nil},
	} {
		tt.query.Name = named("talk")
		if diff := cmp.Diff(tt.want, texts(t, rt, ctx, tt.query, 0)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.query, diff)
		}
	}
	_, err := rt.Logs(ctx, faas.LogQuery{Name: named("none"), Tail: -1}) // the gateway says 501
	wants(t, err, []error{faas.ErrNotFound}, faas.ErrUnsupported)
}

func TestNoLogs(t *testing.T) {
	g := gateway(t, openfaastest.Options{NoLogs: true})
	g.Deploy("talk", "say")
	_, err := on(t, g).Logs(t.Context(), faas.LogQuery{Name: named("talk"), Tail: -1})
	wants(t, err, []error{faas.ErrUnsupported}, faas.ErrNotFound)
}

// TestFollowOutlastsTheGateway: which ends each answer after its time limit.
func TestFollowOutlastsTheGateway(t *testing.T) {
	g := gateway(t, openfaastest.Options{LogTime: 30 * time.Millisecond})
	g.Deploy("talk", "say")
	rt := on(t, g)
	const lines = 60
	want := []string{}
	for i := range lines {
		want = append(want, fmt.Sprintf("%d:%d", i%3, i))
	}
	go func() { // ends by itself
		for i := range lines {
			g.Write("talk", fmt.Sprint(i%3), fmt.Sprint(i))
			time.Sleep(5 * time.Millisecond)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got := texts(t, rt, ctx, faas.LogQuery{Name: named("talk"), Tail: -1, Follow: true}, lines)
	if !slices.Equal(got, want) {
		t.Errorf("lines %v", got)
	}
	if n := g.Requests("GET /system/logs"); n < 2 {
		t.Errorf("the gateway was asked %d times: its time limit was not met", n)
	}
}

// TestFollowEnds with its context, while nothing is written.
func TestFollowEnds(t *testing.T) {
	g := gateway(t, openfaastest.Options{})
	g.Deploy("talk", "say")
	rt := on(t, g)
	g.Write("talk", "a", "last words")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines, err := rt.Logs(ctx, faas.LogQuery{Name: named("talk"), Tail: -1, Follow: true})
	if err != nil {
		t.Fatal(err)
	}
	for line, err := range lines {
		if err != nil || line.Text != "last words" {
			t.Errorf("%+v, %v", line, err)
		}
		cancel()
	}
}
