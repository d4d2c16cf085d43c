package report_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/examples/bench/cell"
	"github.com/p2pfaas/p2pfaas/examples/bench/figures"
	"github.com/p2pfaas/p2pfaas/examples/bench/goals"
	"github.com/p2pfaas/p2pfaas/examples/bench/report"
)

var rows = []report.Row{{Name: "proxy"}, {Name: "sdk", Product: true}}

// sample is a run in which sdk takes half of what the proxy does.
func sample(lost int) figures.Records {
	var rs figures.Records
	for _, at := range []figures.Cell{{Body: 1 << 10, AtOnce: 1}, {Body: 1 << 20, AtOnce: 64, Distance: 20 * time.Millisecond}} {
		for rep := range 3 {
			for path, ms := range map[string]time.Duration{"proxy": 2, "sdk": 1} {
				res := cell.Result{Calls: 600, P50: ms * time.Millisecond, P99: 3 * time.Millisecond, Rate: 1000 / float64(ms),
					ClientCPU: ms * 100 * time.Microsecond, HopCPU: 100 * time.Microsecond, ClientObjs: 4, HopObjs: 8}
				if path == "sdk" {
					res.Lost, res.Loss = lost, "cut"
				}
				rs = append(rs, figures.Record{Path: path, Cell: at, Repetition: rep, Result: res})
			}
		}
	}
	return rs
}

func TestTables(t *testing.T) {
	var out strings.Builder
	if err := report.Tables(&out, sample(0), rows, "proxy"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1 KB, 1 at once: ratios to proxy",
		"1 MB, 64 at once, 20ms away",
		"sdk    .50 [.50-.50]     1.00 [1.00-1.00]  2.00 [2.00-2.00]  .67 [.67-.67]",
		"1ms  3ms  1000   200µs            12      0",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestVerdicts(t *testing.T) {
	var out strings.Builder
	if err := report.Verdicts(&out, goals.Judge(sample(0), goals.All())); err != nil {
		t.Fatal(err)
	}
	var grades []string
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "sdk / proxy, p50") {
			words := strings.Fields(line)
			grades = append(grades, words[len(words)-1])
		}
	}
	if strings.Join(grades, " ") != "aim measured" { // 1 MB of one caller was not
		t.Errorf("%q in\n%s", grades, &out)
	}
}

func TestLosses(t *testing.T) {
	var out strings.Builder
	if err := report.Losses(&out, sample(0), rows); err != nil || !strings.Contains(out.String(), "lost 0 of 3600") {
		t.Errorf("none lost: %v\n%s", err, &out)
	}
	out.Reset()
	err := report.Losses(&out, sample(1), rows)
	if err == nil || !strings.Contains(err.Error(), "LOST 6 of 3606") {
		t.Errorf("6 lost: %v", err)
	}
	if !strings.Contains(out.String(), "lost: sdk, 1 KB, 1 at once: 3 of 1803 calls, the first: cut") {
		t.Errorf("it does not say where:\n%s", &out)
	}
	rival := []report.Row{{Name: "proxy"}, {Name: "sdk"}}
	if err := report.Losses(&out, sample(1), rival); err != nil {
		t.Errorf("a rival may lose: %v", err)
	}
}

func TestWrite(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "results")
	rs := sample(0)
	f := report.File{Records: rs, Goals: goals.Judge(rs, goals.All()), Machine: report.Describe("/none")}
	if err := f.Write(folder, rows, "proxy"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	var back report.File
	if err := json.Unmarshal(text, &back); err != nil || len(back.Records) != len(rs) || back.Machine.Node != "unknown" || back.Machine.CPU == "" {
		t.Errorf("%d records, %+v, %v", len(back.Records), back.Machine, err)
	}
	for _, name := range []string{"bench.svg", "bench.png", "bench-20ms.svg", "bench-20ms.png"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
