package live

import (
	"net/http"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// lateness is how late a request may be sent without being counted as late.
const lateness = 10 * time.Millisecond

// ending is what is seen of one invocation; without a status there was no answer.
type ending struct {
	status   int
	peer     string // that ran it
	hops     int
	response time.Duration
	late     time.Duration // it was sent
}

// tally counts towards the Report, as package sim does.
type tally struct {
	sc    *sim.Scenario
	nodes map[string]int // by peer ID

	mu       sync.Mutex
	report   Report
	served   int
	onTime   int
	refused  int
	expired  int
	lost     int
	missing  int // not sent
	late     int
	moved    int
	hops     int
	sampling sim.Sample
}

func newTally(sc *sim.Scenario, members []*member) *tally {
	t := &tally{sc: sc, nodes: make(map[string]int)}
	for _, m := range members {
		if p := m.alive(); p != nil {
			t.nodes[p.peer] = m.number
		}
	}
	t.report.PerNode = make([]sim.NodeResult, len(members))
	t.report.PerClass = make([]sim.ClassResult, len(sc.Classes))
	for i := range sc.Classes {
		t.report.PerClass[i].Function = sc.Classes[i].Function
	}
	return t
}

// counts says whether an arrival is after the warm-up.
func (t *tally) counts(a *sim.Arrival) bool { return a.At >= t.sc.Warmup }

func (t *tally) unsent(a *sim.Arrival) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sampling.Ended++
	if t.counts(a) {
		t.enter(a)
		t.missing++
		t.lost++
	}
}

// enter counts an arrival, with mu held.
func (t *tally) enter(a *sim.Arrival) {
	t.report.Requests++
	t.report.PerNode[a.Node].Requests++
	t.report.PerClass[a.Class].Requests++
}

func (t *tally) ended(a *sim.Arrival, e *ending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	deadline := t.sc.Classes[a.Class].Deadline
	inTime := e.status == http.StatusOK && (deadline == 0 || e.response <= deadline)
	t.sampling.Ended++
	if inTime {
		t.sampling.InDeadline++
	}
	if !t.counts(a) {
		return
	}
	t.enter(a)
	t.report.Latest = max(t.report.Latest, e.late)
	if e.late > lateness {
		t.late++
	}
	switch e.status {
	case http.StatusOK:
		t.answered(a, e, inTime)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		t.refused++
	case http.StatusGatewayTimeout:
		t.expired++
	default:
		t.lost++
	}
}

func (t *tally) answered(a *sim.Arrival, e *ending, inTime bool) {
	node, class := &t.report.PerNode[a.Node], &t.report.PerClass[a.Class]
	t.served++
	node.Served++
	class.Served++
	t.report.Responses.Add(e.response)
	class.Responses.Add(e.response)
	t.hops += e.hops
	if executor, known := t.nodes[e.peer]; known && executor != a.Node {
		t.moved++
		t.report.PerNode[executor].Received++
	}
	if inTime {
		t.onTime++
		node.InDeadline++
		class.InDeadline++
	}
}

// sample notes how the mesh is.
func (t *tally) sample(at time.Duration, now counters) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sampling
	s.At, s.Running, s.Queued, s.Dead = at, int(now.running), int(now.queued), now.dead
	s.Learning = sim.LearningOf(now.learning)
	t.report.Samples = append(t.report.Samples, s)
	t.sampling = sim.Sample{}
}
