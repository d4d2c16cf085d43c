package main

import (
	"testing"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/gologshim"
)

// TestLogLevels: libp2p's word on peers that went away is not shown, its other
// warnings are.
func TestLogLevels(t *testing.T) {
	t.Setenv("GOLOG_LOG_LEVEL", "")
	if err := setUpLogging("error"); err != nil {
		t.Fatal(err)
	}
	gologshim.Logger("net/test").Debug("registers the name")
	for name, want := range map[string]string{"net/identify": "error", "net/test": "warn", "p2pfaas/cmd": "error"} {
		if got, err := logging.SubsystemLevelName(name); err != nil || got != want {
			t.Errorf("%s: level %q, %v, want %q", name, got, err, want)
		}
	}
}
