package live

import "time"

// sum makes the report of what was counted. seen is what the nodes counted in the
// same time.
func (t *tally) sum(m *mesh, seen counters) *Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.report
	all := float64(max(1, r.Requests))
	r.InDeadline, r.Served, r.Refused = float64(t.onTime)/all, float64(t.served)/all, float64(t.refused)/all
	r.Expired, r.Lost, r.RewardMean = float64(t.expired)/all, float64(t.lost)/all, float64(t.onTime)/all
	r.Mean, r.P50 = r.Responses.Mean().Seconds(), r.Responses.Quantile(0.50).Seconds()
	r.P95, r.P99 = r.Responses.Quantile(0.95).Seconds(), r.Responses.Quantile(0.99).Seconds()
	r.Forwarded, r.Hops = float64(t.moved)/all, float64(t.hops)/float64(max(1, t.served))
	r.Probes, r.Pulls, r.Gossip = seen.probes/all, seen.pulls/all, seen.gossip/all
	r.Late, r.Unsent = float64(t.late)/all, float64(t.missing)/all
	span := t.sc.Duration - t.sc.Warmup
	r.CPU = seen.cpu / span.Seconds()
	t.share(m, span)
	return r
}

// share is how fairly it went, and how busy the nodes were.
func (t *tally) share(m *mesh, span time.Duration) {
	r := &t.report
	var sum, squares, count, busy, capacity float64
	for i := range r.PerNode {
		n, servers := &r.PerNode[i], float64(m.members[i].group.Servers)
		ran := m.members[i].sleep.counted().Seconds()
		n.Busy = ran / (servers * span.Seconds())
		busy, capacity = busy+ran, capacity+servers*span.Seconds()
		if n.Requests == 0 {
			continue
		}
		x := float64(n.InDeadline) / float64(n.Requests)
		if count == 0 || x < r.Worst {
			r.Worst = x
		}
		sum, squares, count = sum+x, squares+x*x, count+1
	}
	r.Utilisation, r.Jain = busy/capacity, 1
	if squares > 0 {
		r.Jain = sum * sum / (count * squares)
	}
}
