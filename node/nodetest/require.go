// Package nodetest is what tests of whole nodes share.
package nodetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas/embedded/cgroup"
)

// A Requirement is something that a machine may lack.
type Requirement int

const (
	// Root: the test runs as user 0.
	Root Requirement = iota
	// IPRoute2: the program ip.
	IPRoute2
	// NetNS: network namespaces can be made, which takes root, IPRoute2 and a
	// kernel that allows it.
	NetNS
	// TUN: devices whose frames a process carries can be made (/dev/net/tun).
	TUN
	// Curl: the program curl.
	Curl
	// Chromium: a browser to drive.
	Chromium
	// Docker: a docker daemon that answers.
	Docker
	// Python3: the program python3.
	Python3
	// ControlGroups: processes can be given limits of memory.
	ControlGroups
)

// Need skips the test, naming the reason, unless the machine has all of these.
// Where the environment says P2PFAAS_REQUIRE=all it fails the test instead: so a
// run that is meant to be complete cannot quietly be less.
func Need(t testing.TB, all ...Requirement) {
	t.Helper()
	for _, r := range all {
		lack := r.lack()
		switch {
		case lack == "":
		case os.Getenv("P2PFAAS_REQUIRE") == "all":
			t.Fatalf("this machine lacks what the test needs, and P2PFAAS_REQUIRE=all: %s", lack)
		default:
			t.Skipf("this machine lacks what the test needs: %s", lack)
		}
	}
}

// lack says what is missing, "" if nothing.
func (r Requirement) lack() string {
	switch r {
	case Root:
		if id := os.Geteuid(); id != 0 {
			return fmt.Sprintf("to be root (this is user %d)", id)
		}
		return ""
	case IPRoute2:
		return cannotFind("Debian package iproute2", "ip")
	case NetNS:
		return lackOfNamespaces()
	case TUN:
		return lackOfTUN()
	case Curl:
		return cannotFind("Debian package curl", "curl")
	case Chromium:
		return cannotFind("Debian package chromium", "chromium", "chromium-browser", "google-chrome")
	case Python3:
		return cannotFind("Debian package python3", "python3")
	case ControlGroups:
		return lackOfControlGroups()
	case Docker:
		return cannotRun("a docker daemon", "docker", "version", "--format", "{{.Server.Version}}")
	}
	return fmt.Sprintf("requirement %d, which is not known", r)
}

func lackOfControlGroups() string {
	dir, err := os.MkdirTemp("", "p2pfaas-need-")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(dir)
	h := cgroup.Open("p2pfaas-need-"+strconv.Itoa(os.Getpid()), dir)
	if err := errors.Join(h.Memory(), h.Close()); err != nil {
		return "control groups: " + err.Error()
	}
	return ""
}

func lackOfNamespaces() string {
	for _, r := range []Requirement{Root, IPRoute2} {
		if lack := r.lack(); lack != "" {
			return lack
		}
	}
	return cannotRun("network namespaces", "unshare", "--net", "true")
}

func lackOfTUN() string {
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return fmt.Sprintf("TAP devices (%v)", err)
	}
	_ = f.Close()
	return ""
}

func cannotFind(what string, anyOf ...string) string {
	for _, program := range anyOf {
		if _, err := exec.LookPath(program); err == nil {
			return ""
		}
	}
	return fmt.Sprintf("%s (no program %v)", what, anyOf)
}

func cannotRun(what, program string, args ...string) string {
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		return fmt.Sprintf("%s (%s: %v %.200s)", what, program, err, out)
	}
	return ""
}
