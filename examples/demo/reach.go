package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/client"
)

// reach deploys a function on B only, and calls it through A: with curl over
// HTTP, and with the SDK over libp2p.
func reach(ctx context.Context, out io.Writer, m *mesh) error {
	a, b := m.nodes[0], m.nodes[1]
	fmt.Fprintf(out, "\nThe function only-b is deployed on B alone and called through A.\n")
	if err := m.tool(ctx, b, "deploy", "only-b", "--image", "builtin:echo"); err != nil {
		return err
	}
	if err := m.eventually(ctx, func() error { return m.curl(ctx, out, a) }); err != nil {
		return fmt.Errorf("by HTTP: %w", err)
	}
	if err := m.sdk(ctx, out, a); err != nil {
		return fmt.Errorf("by the SDK: %w", err)
	}
	return nil
}

// eventually tries again until what was told to one node has reached the others.
func (m *mesh) eventually(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		if sleep(ctx, 50*time.Millisecond) != nil {
			return err
		}
	}
}

const greeting = "hello through the mesh"

// curl calls with curl where there is one, else as curl would.
func (m *mesh) curl(ctx context.Context, out io.Writer, n *member) error {
	url := "http://" + n.http + "/function/only-b"
	if _, err := exec.LookPath("curl"); err != nil {
		return m.post(ctx, out, url)
	}
	answer, err := exec.CommandContext(ctx, "curl", "-sS", "-f", "-D", "-", "-d", greeting, url).Output()
	if err != nil {
		return err
	}
	head, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	return m.show(out, "curl -d '…' "+url, field(head, "X-P2pfaas-Peer"), body)
}

func field(head, name string) string {
	for line := range strings.SplitSeq(head, "\r\n") {
		if key, value, _ := strings.Cut(line, ": "); strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

func (m *mesh) post(ctx context.Context, out io.Writer, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(greeting))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d: %s (%w)", resp.StatusCode, body, err)
	}
	return m.show(out, "POST "+url, resp.Header.Get("X-P2pfaas-Peer"), string(body))
}

func (m *mesh) sdk(ctx context.Context, out io.Writer, n *member) error {
	c, err := client.Dialer{Mesh: "demo"}.Dial(ctx, n.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	resp, err := c.Invoke(ctx, &client.Request{Function: "only-b", Body: strings.NewReader(greeting)})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return m.show(out, "client.Invoke over libp2p", resp.Ran, string(body))
}

func (m *mesh) show(out io.Writer, how, ran, body string) error {
	fmt.Fprintf(out, "  %-50s ran on %s, answered %q\n", how, m.name(ran), body)
	if m.name(ran) != "B" || body != greeting {
		return fmt.Errorf("want it to run on B and to answer %q", greeting)
	}
	return nil
}
