package path

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/p2pfaas/p2pfaas/examples/bench/call"
)

// forward calls as P2PFaaS's scheduler passes a call on to another one: two
// probes, one after the other, then base64 in JSON, each over a connection of
// its own.
type forward struct {
	url string
	via *http.Transport
}

// Forward returns a client of a P2PFaaS-like node.
func Forward(addr string) Client {
	return &forward{url: "http://" + addr, via: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
}

func (c *forward) Call(ctx context.Context, x *Exchange) error {
	for range call.Probes {
		if _, err := c.send(ctx, http.MethodGet, call.Probe, nil); err != nil {
			return fmt.Errorf("probe: %w", err)
		}
	}
	message, err := json.Marshal(call.Message{Function: call.Subject, Payload: x.Body})
	if err != nil {
		return err
	}
	said, err := c.send(ctx, http.MethodPost, call.Forward, bytes.NewReader(message))
	if err != nil {
		return err
	}
	var answer call.Message
	if err := json.Unmarshal(said, &answer); err != nil {
		return err
	}
	return x.Compare(answer.Payload)
}

func (c *forward) send(ctx context.Context, method, where string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+where, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.via.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, all)
	}
	return all, err
}

func (c *forward) Close() error {
	c.via.CloseIdleConnections()
	return nil
}
