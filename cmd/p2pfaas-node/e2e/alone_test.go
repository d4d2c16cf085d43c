package e2e

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// TestAlone: all peers die at the same moment, and the node that is left serves
// at once as if there had never been any.
func TestAlone(t *testing.T) {
	a, b := pair(t, "tcp")
	c := node(t, "tcp", []*nodetest.Process{a})
	sees(t, a, c)
	for _, p := range []*nodetest.Process{a, b, c} {
		deploy(t, p, "echo", "builtin:echo", []*nodetest.Process{p})
	}
	b.Kill()
	c.Kill()
	began := time.Now()
	for i := range 50 {
		resp := post(t, url(a, "echo"), []byte("x"))
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || string(body) != "x" {
			t.Fatalf("call %d: %d %q, %v", i, resp.StatusCode, body, err)
		}
		if ran := resp.Header.Get("X-P2pfaas-Peer"); ran != a.Peer {
			t.Errorf("call %d ran at %s", i, ran)
		}
		resp.Body.Close()
	}
	t.Logf("50 calls after %v", time.Since(began))
	nodetest.Eventually(t, "the dead are forgotten", func() error {
		var peers []listed
		if err := a.Get("/system/peers", &peers); err != nil || len(peers) > 0 {
			return fmt.Errorf("%d peers, %v", len(peers), err)
		}
		return nil
	})
}
