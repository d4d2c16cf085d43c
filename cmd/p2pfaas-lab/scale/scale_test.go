package scale

import (
	"bufio"
	"context"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParseUsed(t *testing.T) {
	const after = " S 1 2 3 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0"
	for text, want := range map[string]time.Duration{
		"12 (p2pfaas-node)" + after:              3 * time.Second,
		"12 (a) b) S 9 (c)" + after:              3 * time.Second,
		"":                                       -1,
		"12 (p2pfaas-node) S 1 2 3":              -1,
		"12 (x) S 1 2 3 0 -1 4 1 0 0 0 x 50 0 0": -1,
	} {
		if got, err := parseUsed(text); err != nil && want >= 0 || err == nil && got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseResident(t *testing.T) {
	all, anonymous := parseResident(strings.NewReader("Name:\tp2pfaas-node\nVmHWM:\t  9000 kB\nVmRSS:\t   3000 kB\nRssAnon:\t    1000 kB\n"))
	if all != 3000<<10 || anonymous != 1000<<10 {
		t.Errorf("%d, %d", all, anonymous)
	}
}

func TestRates(t *testing.T) {
	began := time.Now()
	before := state{at: began, node: time.Second, crowd: 9 * time.Second, wire: 1000, reports: 7}
	after := state{at: began.Add(10 * time.Second), node: 1100 * time.Millisecond, crowd: 10 * time.Second, wire: 51_000, reports: 57}
	got := Report{Nodes: 11}
	got.rates(&before, &after)
	want := Report{Nodes: 11, CPU: 0.01, CrowdCPU: 0.01, Wire: 2 * 5000.0 / 11, Reports: 5}
	near := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 })
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Error(diff)
	}
}

// A crowd says where its first is, and grows until each knows all others.
func TestWork(t *testing.T) {
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Work(context.Background(), 0, 4, "", in, out); out.Close() }()
	lines := bufio.NewScanner(answers)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "/ip4/127.0.0.1/tcp/") || !strings.Contains(lines.Text(), "/p2p/") {
		t.Fatalf("it says %q, want an address: %v", lines.Text(), lines.Err())
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := io.WriteString(ask, "\n"); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatalf("no answer: %v", lines.Err())
		}
		if least, err := strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		} else if least == 3 {
			break
		} else if time.Now().After(end) {
			t.Fatalf("one knows %d only", least)
		}
	}
	if err := ask.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
