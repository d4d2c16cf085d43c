package live

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

func scenarioOf(nodes int) *sim.Scenario {
	return &sim.Scenario{
		Name: "few", Duration: 4 * time.Second, Warmup: time.Second, Gossip: 500 * time.Millisecond, View: 64, Seed: 1,
		Nodes:   []sim.Group{{Count: nodes, Servers: 1, Queue: 10, Rate: []float64{10}}},
		Classes: []sim.Class{{Share: 1, Function: "work", Service: 30 * time.Millisecond, Deadline: 2 * time.Second, Body: 5000}},
	}
}

func TestCheck(t *testing.T) {
	if err := Check(scenarioOf(3)); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*sim.Scenario){
		"no sinkholes":     func(sc *sim.Scenario) { sc.Nodes[0].Sinkhole = true },
		"64 are the most":  func(sc *sim.Scenario) { sc.Nodes[0].Count = 65 },
		"view is 1":        func(sc *sim.Scenario) { sc.View = 1 },
		"gossip is 50ms":   func(sc *sim.Scenario) { sc.Gossip = 50 * time.Millisecond },
		"gossip is 0s":     func(sc *sim.Scenario) { sc.Gossip = 0 },
		"piggyback is off": func(sc *sim.Scenario) { sc.Plain = true },
		"expiry is off":    func(sc *sim.Scenario) { sc.Expiry = sim.ExpiryOff },
		"architectures":    func(sc *sim.Scenario) { sc.Classes[0].Slower = map[string]float64{"arm64": 2} },
		"one size":         func(sc *sim.Scenario) { sc.Classes[0].BodySigma = 1 },
		"notice":           func(sc *sim.Scenario) { sc.Events = []sim.Event{{Speed: 0.5, Unnoticed: true}} },
	} {
		sc := scenarioOf(3)
		change(sc)
		if err := Check(sc); !errors.Is(err, ErrScenario) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func sleeperFor(t *testing.T, speed float64) *sleeper {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newSleeper(l, speed)
	s.count(time.Now(), time.Now().Add(time.Hour))
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// call is how long the function took.
func call(ctx context.Context, t *testing.T, s *sleeper, demand string) (time.Duration, error) {
	t.Helper()
	return callWithLuck(ctx, t, s, demand, "0.5")
}

func callWithLuck(ctx context.Context, t *testing.T, s *sleeper, demand, luck string) (time.Duration, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(demandHeader, demand)
	req.Header.Set(luckHeader, luck)
	req.Close = true
	began := time.Now()
	res, err := http.DefaultClient.Do(req)
	if err == nil {
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("the sleeper answers %s", res.Status)
		}
	}
	return time.Since(began), err
}

func TestSleeperSpeed(t *testing.T) {
	s := sleeperFor(t, 2)
	if took, err := call(t.Context(), t, s, "200ms"); err != nil || took < 100*time.Millisecond {
		t.Errorf("200ms at speed 2 took %v: %v", took, err)
	}
	time.AfterFunc(100*time.Millisecond, func() { s.setSpeed(1000) })
	if took, err := call(t.Context(), t, s, "10m"); err != nil || took < 100*time.Millisecond {
		t.Errorf("10m at speed 2, then 1000, took %v: %v", took, err)
	}
	if busy := s.counted(); busy < 200*time.Millisecond {
		t.Errorf("busy for %v only", busy)
	}
}

// TestSleeperCancelled: who gives up gives the machine back.
func TestSleeperCancelled(t *testing.T) {
	s := sleeperFor(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := call(ctx, t, s, "1h"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	for limit := time.Now().Add(20 * time.Second); s.counted() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it goes on")
		}
	}
}

// TestSleeperStalls: the calls of less luck take longer, whatever the speed.
func TestSleeperStalls(t *testing.T) {
	s := sleeperFor(t, 1000)
	s.setStalls(0.25, 300*time.Millisecond)
	if took, err := callWithLuck(t.Context(), t, s, "1ms", "0.24"); err != nil || took < 300*time.Millisecond {
		t.Errorf("the unlucky took %v: %v", took, err)
	}
	s.setStalls(0.25, time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := callWithLuck(ctx, t, s, "1ms", "0.25"); err != nil {
		t.Errorf("the lucky: %v", err)
	}
	hasty, give := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer give()
	if _, err := callWithLuck(hasty, t, s, "1ms", "0"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the hasty: %v", err)
	}
}

func TestTally(t *testing.T) {
	sc := scenarioOf(2)
	members := []*member{{number: 0, group: &sc.Nodes[0], sleep: &sleeper{busy: 1500 * time.Millisecond}}, {number: 1, group: &sc.Nodes[0], sleep: &sleeper{}}}
	members[0].become(&process{peer: "A"})
	members[1].become(&process{peer: "B"})
	tally := newTally(sc, members)
	late := 30 * time.Millisecond
	for _, e := range []struct {
		node int
		at   time.Duration
		ending
	}{
		{0, 0, ending{status: 200, peer: "A"}}, // warm-up
		{0, time.Second, ending{status: 200, peer: "A", response: time.Second}},
		{0, time.Second, ending{status: 200, peer: "B", response: 3 * time.Second, hops: 1}}, // after its deadline
		{1, time.Second, ending{status: 200, peer: "A", response: time.Second, hops: 2, late: late}},
		{1, time.Second, ending{status: 429}},
		{1, time.Second, ending{status: 503}},
		{0, time.Second, ending{status: 504}},
		{0, time.Second, ending{status: 502}},
		{1, time.Second, ending{}}, // no answer
	} {
		tally.ended(&sim.Arrival{At: e.at, Node: e.node}, &e.ending)
	}
	tally.unsent(&sim.Arrival{At: time.Second, Node: 1})
	tally.unsent(&sim.Arrival{Node: 1})
	r := tally.sum(&mesh{members: members}, counters{probes: 9, pulls: 18, gossip: 27, cpu: 6})
	got := []float64{float64(r.Requests), r.InDeadline, r.Served, r.Refused, r.Expired, r.Lost, r.Forwarded, r.Hops, r.Probes, r.Pulls, r.Gossip,
		r.Late, r.Unsent, r.CPU, r.Utilisation, r.Worst, r.Latest.Seconds()}
	const ninth = 1.0 / 9
	want := []float64{9, 2 * ninth, 3 * ninth, 2 * ninth, ninth, 3 * ninth, 2 * ninth, 1, 1, 2, 3, ninth, ninth, 2, 0.25, 0.2, 0.03}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	nodes := []sim.NodeResult{{Requests: 4, InDeadline: 1, Served: 2, Received: 1, Busy: 0.5}, {Requests: 5, InDeadline: 1, Served: 1, Received: 1}}
	if diff := cmp.Diff(nodes, r.PerNode); diff != "" {
		t.Error(diff)
	}
}

func TestCounters(t *testing.T) {
	var c counters
	c.add([]byte(`# HELP p2pfaas_pull_messages_total Messages
p2pfaas_pull_messages_total{of="three words here"} 3
p2pfaas_pull_messages_total 4
p2pfaas_probes_total 2
p2pfaas_reports_heard_total 1e+02
process_cpu_seconds_total 0.5
p2pfaas_running 1
p2pfaas_running_else 50
p2pfaas_queue_length 6
`))
	want := counters{probes: 2, pulls: 7, gossip: 100, cpu: 0.5, running: 1, queued: 6}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(counters{})); diff != "" {
		t.Error(diff)
	}
	if d := c.since(&counters{pulls: 3, gossip: 200}); d.pulls != 4 || d.gossip != 0 {
		t.Errorf("%+v", d)
	}
}

// TestCountersOfLearning: of each node that learns, and of no other.
func TestCountersOfLearning(t *testing.T) {
	var c counters
	c.learned([]byte("p2pfaas_running 1\n"))
	c.learned([]byte(`# TYPE p2pfaas_learning_reward gauge
p2pfaas_learning_reward 0.75
p2pfaas_learning_epsilon 0.05
p2pfaas_learning_state{state="fallback-silent"} 1
p2pfaas_learning_decided_total{by="learned"} 7
p2pfaas_learning_decided_total{by="default"} 3
p2pfaas_learning_decisions_total{action="run"} 10
p2pfaas_learning_outcomes_total 9
`))
	c.learned([]byte("p2pfaas_learning_state{state=\"learned\"} 1\np2pfaas_learning_agreement 0.5\np2pfaas_learning_epsilon 0.01\n"))
	want := &sim.Learning{Nodes: 2, Fallback: 1, Reward: 0.75, Epsilon: 0.03, Agreement: 0.5, ByLearned: 7, ByDefault: 3, Outcomes: 9}
	if diff := cmp.Diff(want, sim.LearningOf(c.learning), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Error(diff)
	}
}
