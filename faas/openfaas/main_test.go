package openfaas_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/faas/openfaas"
	"github.com/p2pfaas/p2pfaas/faas/openfaas/openfaastest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what ought to happen soon.
const patience = 30 * time.Second

const user, password = "admin", "s3cret of the gateway"

func gateway(t testing.TB, o openfaastest.Options) *openfaastest.Gateway {
	t.Helper()
	o.User, o.Password = user, password
	return openfaastest.New(t, o)
}

func config(t testing.TB, url string) openfaas.Config {
	t.Helper()
	place, err := openfaas.Locate(url, openfaas.NoCredentials)
	if err != nil {
		t.Fatal(err)
	}
	place.Credentials = api.Credentials{User: user, Password: password}
	c := openfaas.Default(place)
	c.Interval, c.Suspect = 50*time.Millisecond, 10*time.Millisecond
	return c
}

// start returns a Runtime that runs until the test ends.
func start(t testing.TB, c openfaas.Config) *openfaas.Runtime {
	t.Helper()
	rt, err := openfaas.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt
}

func on(t testing.TB, g *openfaastest.Gateway) *openfaas.Runtime {
	t.Helper()
	return start(t, config(t, g.URL()))
}

func named(s string) faas.Name { return faas.Name{Function: s, Namespace: faas.DefaultNamespace} }

func post(n faas.Name, body string) *faas.Request {
	return &faas.Request{Name: n, Method: "POST", Body: bytes.NewReader([]byte(body)), Size: int64(len(body))}
}

// invoke returns the answer and its whole body.
func invoke(t testing.TB, rt faas.Runtime, r *faas.Request) (*faas.Response, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	resp, err := rt.Invoke(ctx, r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body), nil
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen in %v: %s", patience, what)
		}
	}
}

func isUp(rt faas.Runtime) bool {
	_, err := rt.Info(context.Background())
	return err == nil
}

// wants checks which sentinels an error is, and which not.
func wants(t testing.TB, err error, is []error, not ...error) {
	t.Helper()
	for _, want := range is {
		if !errors.Is(err, want) {
			t.Errorf("error %v, want one that is %q", err, want)
		}
	}
	for _, other := range not {
		if errors.Is(err, other) {
			t.Errorf("error %v, want one that is not %q", err, other)
		}
	}
}

func names(list []faas.Status) []string {
	all := []string{}
	for _, s := range list {
		all = append(all, s.Name.String())
	}
	return all
}

func listed(t testing.TB, rt faas.Runtime) []string {
	t.Helper()
	list, err := rt.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return names(list)
}
