package scenario_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/sched/sim"
	"github.com/p2pfaas/p2pfaas/sched/sim/scenario"
)

const whole = `name = "whole"
seed = 5
duration = "240s"
warmup = "60s"
policy = "power-of-n"
set = { f = "3", t = "2" }
gossip = "1s"
view = 32
expiry = "on"
piggyback = false
[network]
delay = "3ms"
zone_delay = "30ms"
[[nodes]]
count = 2
servers = 4
queue = 0
speed = [1.0, 0.5]
zone = "a"
rate = [4, 6.5]
[[nodes]]
count = 3
zone = "b"
rate = 10
rate_sigma = 0.7
sinkhole = true
[load]
utilisation = 0.81
trace = "day.csv"
burst = { period = "800ms", on = 0.3, high = 3.0, low = 0.2 }
[[classes]]
share = 0.7
function = "small"
service = "60ms"
distribution = "lognormal"
sigma = 0.5
deadline = "194ms"
body = "28KB"
[[classes]]
service = "1s"
[[events]]
at = "120s"
nodes = [1, 4]
speed = 0.3
announced = true
[[events]]
at = "121s"
nodes = [0]
kill = true
[[events]]
at = "122s"
nodes = [0]
restart = true
`

func TestParse(t *testing.T) {
	got, err := scenario.Parse("whole.toml", []byte(whole), func(name string) ([]byte, error) {
		return []byte("# a comment\n0, 1\n60.5, 0.5\n"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &sim.Scenario{
		Name: "whole", Seed: 5, Duration: 240 * time.Second, Warmup: time.Minute, Policy: "power-of-n",
		Set: map[string]string{"f": "3", "t": "2"}, Gossip: time.Second, View: 32, Expiry: sim.ExpiryOn, Plain: true,
		Network: sim.Network{Delay: 3 * time.Millisecond, ZoneDelay: 30 * time.Millisecond},
		Nodes: []sim.Group{
			{Count: 2, Servers: 4, Queue: 0, Speed: []float64{1, .5}, Zone: "a", Rate: []float64{4, 6.5}},
			{Count: 3, Servers: 1, Queue: 1024, Zone: "b", Rate: []float64{10}, RateSigma: .7, Sinkhole: true},
		},
		Load: sim.Traffic{
			Utilisation: .81,
			Trace:       &sim.Trace{At: []time.Duration{0, 60500 * time.Millisecond}, Rows: [][]float64{{1}, {.5}}},
			Burst:       &sim.Burst{Period: 800 * time.Millisecond, On: .3, High: 3, Low: .2},
		},
		Classes: []sim.Class{
			{Share: .7, Function: "small", Service: 60 * time.Millisecond, Distribution: sim.Lognormal, Sigma: .5,
				Deadline: 194 * time.Millisecond, Body: 28_000},
			{Share: 1, Function: "work", Service: time.Second},
		},
		Events: []sim.Event{
			{At: 120 * time.Second, Nodes: []int{1, 4}, Speed: .3, Announced: true},
			{At: 121 * time.Second, Nodes: []int{0}, Kill: true},
			{At: 122 * time.Second, Nodes: []int{0}, Restart: true},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaults(t *testing.T) {
	got, err := scenario.Parse("x.toml", []byte("duration='8s'\n[[nodes]]\ncount=1\nrate=1\n[[classes]]\nservice='1ms'\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &sim.Scenario{
		Seed: 1, Duration: 8 * time.Second, Warmup: 2 * time.Second, Policy: "spread", Gossip: 500 * time.Millisecond, View: 64,
		Nodes:   []sim.Group{{Count: 1, Servers: 1, Queue: 1024, Rate: []float64{1}}},
		Classes: []sim.Class{{Share: 1, Function: "work", Service: time.Millisecond}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCut(t *testing.T) {
	got, err := scenario.Parse("x.toml", []byte("cut=true\nduration='8s'\n[[nodes]]\ncount=1\nrate=1\n[[classes]]\nservice='1ms'\n"), nil)
	if err != nil || !got.Cut {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestErrors: each says the line, what is wrong, and what would be right.
func TestErrors(t *testing.T) {
	cases := []struct{ name, old, new, want string }{
		{"unknown key", `warmup = "60s"`, `warm_up = "60s"`, `whole.toml:4: there is no key "warm_up" here; did you mean "warmup"?`},
		{"unknown key in a group", `servers = 4`, `server = 4`, `whole.toml:16: there is no key "server" here; did you mean "servers"?`},
		{"unknown key in an inline table", `high = 3.0`, `hihg = 3.0`, `whole.toml:30: there is no key "hihg" here; did you mean "high"?`},
		{"unknown key like no other", `[network]`, "[network]\nbandwidth = 3", `whole.toml:12: there is no key "bandwidth" here`},
		{"unknown table", `[network]`, `[netwrk]`, `whole.toml:11: there is no key "netwrk" here; did you mean "network"?`},
		{"no TOML", `[network]`, `[network`, `whole.toml:12: `},
		{"no duration", `"60s"`, `"60"`, `"60" is no duration such as "250ms"`},
		{"number for a duration", `"60s"`, `60`, `whole.toml:4: `},
		{"no size", `"28KB"`, `"28 horses"`, `28 horses is no size such as "28KB"`},
		{"no number", `rate = [4, 6.5]`, `rate = [4, "many"]`, `many is no number`},
		{"empty list", `rate = [4, 6.5]`, `rate = []`, `the list is empty`},
		{"distribution", `"lognormal"`, `"lognomal"`, `whole.toml:35: classes[0].distribution is "lognomal": it must be one of exponential, fixed, lognormal, uniform`},
		{"expiry", `expiry = "on"`, `expiry = "yes"`, `whole.toml:9: expiry is "yes": it must be one of off, on, policy`},
		{"list too short", `rate = [4, 6.5]`, `rate = [4, 6, 8]`, `whole.toml:20: nodes[0].rate has 3 values for 2 nodes`},
		{"second group", `count = 3`, `count = 0`, `whole.toml:22: nodes[1].count is 0: it must be from 1 to 10000`},
		{"warm-up", `warmup = "60s"`, `warmup = "4m"`, `whole.toml:4: warmup is 4m0s: it must be from 0 to less than the duration of 4m0s`},
		{"no such node", `nodes = [1, 4]`, `nodes = [1, 5]`, `whole.toml:43: events[0].nodes has 5: the nodes are 0 to 4`},
		{"event says two things", `kill = true`, "kill = true\nspeed = 2.0", `whole.toml:46: events[1] says 2 things to do: it must be one of kill, restart, speed and stall`},
		{"stall without end", `kill = true`, `stall = "2h"`, `whole.toml:49: events[1].stall is 2h0m0s: it must be above 0, up to 1h`},
		{"more than all stall", `kill = true`, "stall = \"1s\"\nstalls = 1.5", `whole.toml:50: events[1].stalls is 1.5: it must be from 0 to 1`},
		{"sigma without need", `distribution = "lognormal"`, `distribution = "fixed"`, `whole.toml:36: classes[0].sigma is 0.5: only a lognormal class has one`},
		{"trace is missing", `"day.csv"`, `"night.csv"`, `whole.toml:29: load.trace: open night.csv: file does not exist`},
		{"trace is broken", `"day.csv"`, `"broken.csv"`, `whole.toml:29: load.trace: broken.csv: line 2: "x" is no number`},
		{"trace is for others", `"day.csv"`, `"wide.csv"`, `whole.toml:29: load.trace has 2 factors in row 1: it must have one, or one for each of the 5 nodes`},
	}
	files := map[string]string{"day.csv": "0,1\n", "broken.csv": "0,1\n1,x\n", "wide.csv": "0,1,2\n"}
	open := func(name string) ([]byte, error) {
		if data, ok := files[name]; ok {
			return []byte(data), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(whole, c.old) == 0 {
				t.Fatalf("%q is not in the file", c.old)
			}
			_, err := scenario.Parse("whole.toml", []byte(strings.Replace(whole, c.old, c.new, 1)), open)
			if !errors.Is(err, scenario.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

const examples = "../../../examples/scenarios"

// TestExamples: each can be simulated, and begins by saying what it is.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(examples, "*.toml"))
	if err != nil || len(files) < 16 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := scenario.Parse(file, data, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(examples, name)) })
		if err != nil {
			t.Error(err)
			continue
		}
		if want := strings.TrimSuffix(filepath.Base(file), ".toml"); sc.Name != want {
			t.Errorf("%s is called %q", file, sc.Name)
		}
		if !strings.HasPrefix(string(data), "# ") {
			t.Errorf("%s does not say what it is", file)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole), []byte("0,1\n60,2\n"))
	f.Add([]byte("duration='8s'\n[[nodes]]\ncount=1\nrate=1\n[[classes]]\nservice='1ms'\n"), []byte(""))
	f.Fuzz(func(t *testing.T, data, trace []byte) {
		sc, err := scenario.Parse("fuzz.toml", data, func(string) ([]byte, error) { return trace, nil })
		if err != nil {
			if !errors.Is(err, scenario.ErrInvalid) {
				t.Fatalf("%v is no ErrInvalid", err)
			}
			return
		}
		if err := sc.Check(); err != nil {
			t.Fatalf("parsed, but wrong: %v", err)
		}
	})
}
