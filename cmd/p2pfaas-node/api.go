package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	callLimit   = 30 * time.Second // of a call to /system, whose answers are short
	answerLimit = 16 << 20         // bytes of such an answer
)

// remote is a node, called over HTTP.
type remote struct {
	base           *url.URL
	user, password string
	// noCredentials says why there are none, "" if there are.
	noCredentials string
	passwordFile  string // where the password came from, "" for a folder of credentials
	http          *http.Client
}

func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true // a function's answer is shown as it was sent
	return &http.Client{
		Transport: transport,
		// A redirect is the function's answer, and credentials stay with the node.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// request makes a request of the node; path is escaped already.
func (c *remote) request(ctx context.Context, method, path, query string, body io.Reader) (*http.Request, error) {
	u := strings.TrimSuffix(c.base.String(), "/") + path
	if query != "" {
		u += "?" + query
	}
	r, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, usageError{err}
	}
	return r, nil
}

// send does a request; an error means that there was no answer.
func (c *remote) send(r *http.Request) (*http.Response, error) {
	res, err := c.http.Do(r)
	if err == nil {
		return res, nil
	}
	if refused := new(net.OpError); errors.As(err, &refused) && refused.Op == "dial" {
		return nil, fmt.Errorf("no node answers at %s (%w): start one with \"p2pfaas-node run\", or name it with --node URL", c.base, refused.Err)
	}
	if isLibp2p(err) {
		return nil, fmt.Errorf("call %s: that is a libp2p port; --node wants the node's HTTP port", c.base)
	}
	return nil, fmt.Errorf("call %s: %w", c.base, errors.Unwrap(err))
}

// isLibp2p tells whether what answered greeted with libp2p's protocol
// negotiation: in place of an answer, or before the request was written, which is
// a failed peek without an error. net/http has no error values for these.
func isLibp2p(err error) bool {
	text := err.Error()
	return strings.Contains(text, "malformed HTTP response") && strings.Contains(text, "/multistream/") ||
		strings.Contains(text, "readLoopPeekFailLocked: %!w(<nil>)")
}

// call does a request of the system API with the credentials. in, unless nil, is
// sent as JSON, and the answer stored in out, unless nil.
func (c *remote) call(ctx context.Context, method, path, query string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	r, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := c.sendSigned(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return c.read(res, out)
}

// sendSigned is send with the credentials.
func (c *remote) sendSigned(r *http.Request) (*http.Response, error) {
	if c.password != "" {
		r.SetBasicAuth(c.user, c.password)
	}
	return c.send(r)
}

// stream does a request of the system API whose answer takes as long as ctx
// lets it. The caller closes its body.
func (c *remote) stream(ctx context.Context, method, path, query string) (*http.Response, error) {
	r, err := c.request(ctx, method, path, query, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.sendSigned(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, c.read(res, nil)
}

func (c *remote) read(res *http.Response, out any) error {
	body, err := io.ReadAll(io.LimitReader(res.Body, answerLimit+1))
	switch {
	case err != nil:
		return fmt.Errorf("read answer of %s: %w", c.base, err)
	case len(body) > answerLimit:
		return fmt.Errorf("answer of %s is larger than %d bytes, the most this program reads", c.base, answerLimit)
	case res.StatusCode/100 != 2:
		return c.failed(res, body)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("answer of %s is not what a node sends (%w): does --node name a node's HTTP port?", c.base, err)
	}
	return nil
}

// statusError is an answer that says no.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

func (c *remote) failed(res *http.Response, body []byte) error {
	const shown = 500
	text := strings.Join(strings.Fields(string(body)), " ")
	if len(text) > shown {
		text = text[:shown] + "…"
	}
	e := &statusError{status: res.StatusCode, text: fmt.Sprintf("%s: %s", res.Status, text)}
	if res.StatusCode == http.StatusUnauthorized {
		e.text += "; " + c.credentialsHint()
	}
	return e
}

func (c *remote) credentialsHint() string {
	const how = "name the node's data folder with --data, or give --user and --password-file"
	if c.passwordFile != "" {
		return fmt.Sprintf("these are not this node's credentials: check the user name %q and the password in %s, or give neither and name the node's data folder with --data",
			c.user, c.passwordFile)
	}
	if c.noCredentials == "" {
		return "these are not this node's credentials: " + how
	}
	return "none were sent (" + c.noCredentials + "): " + how
}

func hasStatus(err error, status int) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == status
}
