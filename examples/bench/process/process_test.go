package process

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseReady(t *testing.T) {
	got, err := parseReady("ready addr=127.0.0.1:1 addresses=/ip4/127.0.0.1/tcp/2,/x peer=\n")
	want := map[string]string{"addr": "127.0.0.1:1", "addresses": "/ip4/127.0.0.1/tcp/2,/x", "peer": ""}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, line := range []string{"", "\n", "error: no", "already addr=x"} {
		if got, err := parseReady(line); err == nil {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestParseAnonymous(t *testing.T) {
	got, err := parseAnonymous("VmRSS:\t   20 kB\nRssAnon:\t    5432 kB\nRssFile:\t 1 kB\n")
	if got != 5432<<10 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	for _, text := range []string{"", "RssAnon:", "RssAnon: many kB"} {
		if got, err := parseAnonymous(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestChild(t *testing.T) {
	p, err := Start(t.Context(), "sh", "-c", `echo ready addr=x; while read -r a b; do echo "$b"; done`)
	if err != nil {
		t.Fatal(err)
	}
	if said, err := p.Ask("say this"); said != "this" || err != nil || p.Ready["addr"] != "x" {
		t.Errorf("%q, %v, %v", said, err, p.Ready)
	}
	if ended, _ := p.Ended(); ended {
		t.Error("it has ended")
	}
	if files, err := Open(p.ID()); files < 3 || err != nil {
		t.Errorf("%d open files: %v", files, err)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if ended, _ := p.Ended(); !ended {
		t.Error("it has not ended")
	}
	if err := p.Stop(); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestChildThatFails(t *testing.T) {
	for _, script := range []string{"exit 3", "echo nonsense; exec sleep 60"} {
		if p, err := Start(t.Context(), "sh", "-c", script); err == nil {
			t.Errorf("%s: %v", script, p.Ready)
		}
	}
}

// The clock of another process goes as this one's own does.
func TestCPU(t *testing.T) {
	own, err := CPU(0)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
	}
	after, err := CPU(os.Getpid())
	if err != nil || after <= own {
		t.Errorf("%v, then %v: %v", own, after, err)
	}
	if memory, err := Resident(0); memory < 1<<20 || err != nil {
		t.Errorf("%d bytes of memory: %v", memory, err)
	}
}
