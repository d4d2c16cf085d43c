package openfaas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// maxAnswer bounds an answer of the gateway's API in bytes: the statuses of
// some ten thousand functions.
const maxAnswer = 32 << 20

// maxErrorText bounds what of an answer is quoted in an error, in bytes.
const maxErrorText = 300

// gateway speaks the API of an OpenFaaS gateway: all but invocations.
type gateway struct {
	place   Place
	client  http.Client
	streams http.Client // for answers without an end: it has no time limit
}

func newGateway(p Place, timeout time.Duration) *gateway {
	g := &gateway{place: p, streams: http.Client{
		// Straight to the gateway: a proxy of the environment must not see the
		// credentials.
		Transport: &http.Transport{MaxIdleConns: 8, MaxIdleConnsPerHost: 8, IdleConnTimeout: 8 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
	g.client = g.streams
	g.client.Timeout = timeout
	return g
}

func (g *gateway) close() { g.client.CloseIdleConnections() }

// call is one request to the gateway's API.
type call struct {
	method string
	path   string // below the gateway's own path, escaped
	query  url.Values
	body   any // sent as JSON; nil sends none
	into   any // the JSON answer; nil ignores it
}

// do makes a call. Its errors wrap a sentinel of package faas, where the answer
// says as much, and *droppedError if there was none.
func (g *gateway) do(ctx context.Context, c call) error {
	req, err := g.request(ctx, c)
	if err != nil {
		return err
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return dropped(ctx, c, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return dropped(ctx, c, err)
	}
	if len(raw) > maxAnswer {
		return fmt.Errorf("%s %s: answer is larger than %d bytes", c.method, c.path, maxAnswer)
	}
	if !success(resp.StatusCode) {
		return refused(c, resp.StatusCode, raw)
	}
	if c.into == nil {
		return nil
	}
	if err := json.Unmarshal(raw, c.into); err != nil {
		return fmt.Errorf("%s %s: the gateway's answer is not what OpenFaaS says: %w", c.method, c.path, err)
	}
	return nil
}

func (g *gateway) request(ctx context.Context, c call) (*http.Request, error) {
	u := *g.place.URL
	u.Path += c.path
	u.RawQuery = c.query.Encode()
	var body io.Reader
	if c.body != nil {
		raw, err := json.Marshal(c.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if c.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(c.path, "/system/") && g.place.Credentials.User != "" {
		req.SetBasicAuth(g.place.Credentials.User, g.place.Credentials.Password)
	}
	return req, nil
}

// success: providers differ in which of these they answer.
func success(status int) bool {
	switch status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return true
	}
	return false
}

// droppedError: the gateway gave no answer.
type droppedError struct{ err error }

func (e *droppedError) Error() string   { return e.err.Error() }
func (e *droppedError) Unwrap() []error { return []error{faas.ErrUnavailable, e.err} }

func dropped(ctx context.Context, c call, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // the URL is known
	}
	return &droppedError{fmt.Errorf("%s %s: %w", c.method, c.path, err)}
}

// refused says what a status means; the gateway's text goes with it.
func refused(c call, status int, raw []byte) error {
	text := strings.Join(strings.Fields(string(raw[:min(len(raw), maxErrorText)])), " ")
	err := fmt.Errorf("gateway answers %d to %s %s: %s", status, c.method, c.path, text)
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %w", errCredentials, err)
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w: %w", faas.ErrInvalid, err)
	case http.StatusConflict:
		return fmt.Errorf("%w: %w", faas.ErrExists, err)
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", faas.ErrNotFound, err)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return fmt.Errorf("%w: %w", faas.ErrUnsupported, err)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("%w: %w", faas.ErrUnavailable, err)
	}
	return err
}

var errCredentials = fmt.Errorf("%w: the gateway refuses this node's credentials (see --openfaas-auth)", faas.ErrUnavailable)

// health is nil if the gateway and the provider behind it answer.
func (g *gateway) health(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w: GET /healthz: no answer within %v", faas.ErrUnavailable, limit))
	defer cancel()
	return g.do(ctx, call{method: http.MethodGet, path: "/healthz"})
}
