package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// What runs when the node is asked to end may still need inner calls to be answered.
func TestDrainingNodeAnswersInnerCalls(t *testing.T) {
	nodetest.Need(t, nodetest.Curl)
	p := node(t, "tcp", nil, "--servers", "1", "--drain", "20s")
	deploy(t, p, "echo", "builtin:echo", []*nodetest.Process{p}, "--weight", "1")
	slow := strings.Replace(caller, "exec curl", "sleep 3; exec curl", 1)
	tool(t, p, "deploy", "outer", "--image", "exec:"+script(t, p, "outer", fmt.Sprintf(slow, p.HTTP, "echo")), "--weight", "1")
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Post(url(p, "outer"), "", nil)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	nodetest.Eventually(t, "it runs", func() error {
		if n := p.Metric("p2pfaas_running"); n != 1 {
			return fmt.Errorf("%v running", n)
		}
		return nil
	})
	p.Signal(syscall.SIGTERM)
	if got := <-answered; got != "inner" {
		t.Errorf("the call under way got %q, want what its inner call answered", got)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("the node ended with %v", err)
	}
}
