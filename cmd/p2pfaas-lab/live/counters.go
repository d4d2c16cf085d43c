package live

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/p2pfaas/p2pfaas/sched"
)

// counters are sums over the nodes' /metrics.
type counters struct {
	probes, pulls, gossip, cpu float64
	running, queued            float64
	dead                       int
	learning                   []sched.Learning // of the nodes that learn
}

// names of the metrics; those with labels are added up over them.
const (
	metricProbes  = "p2pfaas_probes_total"
	metricPulls   = "p2pfaas_pull_messages_total"
	metricReports = "p2pfaas_reports_heard_total"
	metricCPU     = "process_cpu_seconds_total"
	metricRunning = "p2pfaas_running"
	metricQueued  = "p2pfaas_queue_length"
)

// count asks all nodes at once. One that does not answer counts as dead.
func (m *mesh) count(ctx context.Context) (sum counters) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, n := range m.members {
		all.Go(func() {
			text, err := n.ask(ctx, http.MethodGet, "/metrics", nil)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				sum.dead++
				return
			}
			sum.add(text)
			sum.learned(text)
		})
	}
	all.Wait()
	return sum
}

func (c *counters) add(text []byte) {
	to := map[string]*float64{metricProbes: &c.probes, metricPulls: &c.pulls, metricReports: &c.gossip, metricCPU: &c.cpu,
		metricRunning: &c.running, metricQueued: &c.queued}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		series, value, ok := strings.Cut(lines.Text(), " ")
		if at := strings.LastIndexByte(lines.Text(), ' '); ok && strings.Contains(series, "{") {
			value = lines.Text()[at+1:] // labels may hold spaces
		}
		name, _, _ := strings.Cut(series, "{")
		if sum := to[name]; sum != nil {
			x, _ := strconv.ParseFloat(value, 64) // nodes write numbers
			*sum += x
		}
	}
}

// since is what was counted after before. A node that was started anew in between
// began from 0, which may make less of it, but never less than nothing.
func (c *counters) since(before *counters) counters {
	return counters{probes: max(0, c.probes-before.probes), pulls: max(0, c.pulls-before.pulls),
		gossip: max(0, c.gossip-before.gossip), cpu: max(0, c.cpu-before.cpu)}
}
