package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// TestStatusPage has a browser show the page of a node and looks at what its
// script made of it.
func TestStatusPage(t *testing.T) {
	nodetest.Need(t, nodetest.Chromium)
	a, b := pair(t, "tcp", "--zone", "rack-1")
	deploy(t, b, "echo", "builtin:echo", []*nodetest.Process{a})
	tool(t, a, "deploy", "greeter", "--image", "builtin:hello")
	post(t, url(a, "echo"), []byte("x"), "X-Call-Id", "shown-on-the-page").Body.Close()
	user, password := a.Credentials()
	nodetest.Eventually(t, "the page shows the mesh", func() error {
		return shows(t, "http://"+user+":"+password+"@"+a.HTTP+"/ui/", b.Peer[len(b.Peer)-8:], "rack-1", "greeter", "shown-on-the-page", a.Peer)
	})
}

// shows opens a page in a browser and tells what of parts is not on it.
func shows(t *testing.T, page string, parts ...string) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser(t), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--user-data-dir="+t.TempDir(), "--virtual-time-budget=5000", "--dump-dom", page)
	dom, err := cmd.Output()
	if err != nil {
		return err
	}
	for _, part := range parts {
		if !strings.Contains(string(dom), part) {
			return &missing{part, string(dom)}
		}
	}
	return nil
}

type missing struct{ part, dom string }

func (m *missing) Error() string { return m.part + " is not on the page:\n" + m.dom }

func browser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no browser")
	return ""
}
