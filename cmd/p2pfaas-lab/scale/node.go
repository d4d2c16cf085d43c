package scale

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// node is the one that is a p2pfaas-node.
type node struct {
	*process
	http   string
	client http.Client
}

func (r *run) startNode(bootstrap string) (*node, error) {
	p, err := r.begin("node", exec.Command(r.cfg.Program, "run", "--data", filepath.Join(r.cfg.Dir, "data"), "--auth", "none",
		"--http", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0", "--mdns=false", "--openfaas-url", "none", "--bootstrap", bootstrap))
	if err != nil {
		return nil, err
	}
	n := &node{process: p, client: http.Client{Timeout: 10 * time.Second}}
	line, err := p.line()
	for _, field := range strings.Fields(line) {
		if value, ok := strings.CutPrefix(field, "http="); ok {
			n.http = "http://" + value
		}
	}
	if err == nil && n.http == "" {
		err = fmt.Errorf("the node said %q instead of where it listens", line)
	}
	if err != nil {
		p.kill()
		return nil, err
	}
	return n, nil
}

// metric reads one without labels.
func (n *node) metric(name string) (float64, error) {
	resp, err := n.client.Get(n.http + "/metrics")
	if err != nil {
		return 0, fmt.Errorf("read metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		if value, ok := strings.CutPrefix(s.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("the node has no metric %s", name)
}

// notFound is how long the node takes to say that nobody has a function.
func (n *node) notFound() (time.Duration, error) {
	began := time.Now()
	resp, err := n.client.Get(n.http + "/function/nowhere")
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusNotFound {
		return 0, fmt.Errorf("a function that nobody has was answered with status %d", resp.StatusCode)
	}
	return time.Since(began), nil
}
