package openfaas

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/httpcall"
)

// newCalls makes the client of invocations. Its connections are given up before
// any gateway in use does so, lest one closes just as a request is written.
func newCalls(p Place) *httpcall.Client {
	c := httpcall.Default()
	c.MaxIdle, c.IdleTimeout = 256, 8*time.Second
	port := p.URL.Port()
	if p.URL.Scheme == "https" {
		dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: c.DialTimeout}, Config: &tls.Config{NextProtos: []string{"http/1.1"}}}
		c.Dial = dialer.DialContext
		if port == "" {
			port = "443"
		}
	}
	if port == "" {
		port = "80"
	}
	return httpcall.New(net.JoinHostPort(p.URL.Hostname(), port), c)
}

// Invoke implements [faas.Runtime].
func (rt *Runtime) Invoke(ctx context.Context, r *faas.Request) (*faas.Response, error) {
	if err := errors.Join(rt.available(), checkRequest(r)); err != nil {
		return nil, fmt.Errorf("invoke: %w: %w", faas.ErrNotStarted, err)
	}
	out := *r
	out.Path = rt.cfg.Place.URL.EscapedPath() + "/function/" + r.Name.String() + r.Path
	out.Host = rt.cfg.Place.URL.Host
	resp, err := rt.calls.Do(ctx, &out, nil)
	if err != nil {
		return nil, rt.callFailed(ctx, err)
	}
	if resp, err = rt.judge(ctx, r, resp); err != nil {
		return nil, err
	}
	rt.table.called(r.Name)
	return resp, nil
}

// checkRequest sees to what httpcall cannot, to which name and path are one.
func checkRequest(r *faas.Request) error {
	if r.Path != "" && r.Path[0] != '/' {
		return fmt.Errorf("path %q: %w: want none, or one that begins with /", r.Path, faas.ErrInvalid)
	}
	return r.Name.Validate()
}

// callFailed: a gateway that was not reached is an outage. One that broke off
// may be, and the function may have run.
func (rt *Runtime) callFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	rt.nudged()
	var network *net.OpError
	if errors.Is(err, faas.ErrNotStarted) && errors.As(err, &network) && (network.Op == "dial" || network.Op == "write") {
		return fmt.Errorf("OpenFaaS gateway: %w: %w", faas.ErrUnavailable, err)
	}
	return err
}
