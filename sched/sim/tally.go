package sim

import "time"

// tally counts towards the Result.
type tally struct {
	result    Result
	endings   [4]int
	onTime    int
	moved     int
	hops      int
	messages  [3]int // probes, pulls, gossip
	decisions int
	deciding  time.Duration
	busy      []time.Duration
	sample    Sample
}

func (t *tally) init(w *world) {
	t.result.PerNode = make([]NodeResult, len(w.nodes))
	t.result.PerClass = make([]ClassResult, len(w.classes))
	for i := range w.classes {
		t.result.PerClass[i].Function = w.classes[i].Function
	}
	t.busy = make([]time.Duration, len(w.nodes))
}

func (w *world) counting() bool { return w.now >= w.sc.Warmup && w.now < w.end }

func (t *tally) probes(w *world, n int) { t.message(w, 0, n) }
func (t *tally) pulls(w *world, n int)  { t.message(w, 1, n) }
func (t *tally) gossip(w *world, n int) { t.message(w, 2, n) }

func (t *tally) message(w *world, kind, n int) {
	if w.counting() {
		t.messages[kind] += n
	}
}

func (t *tally) decided(took time.Duration) {
	t.decisions++
	t.deciding += took
}

func (t *tally) received(w *world, node int32) {
	if w.counting() {
		t.result.PerNode[node].Received++
	}
}

// ran notes for how long a server was busy.
func (t *tally) ran(w *world, n *node, from time.Duration) {
	if from, to := max(from, w.sc.Warmup), min(w.now, w.end); to > from {
		t.busy[n.number] += to - from
	}
}

// ended notes how a counted invocation has ended.
func (t *tally) ended(w *world, g *leg, how ending) {
	t.endings[how]++
	node, class := &t.result.PerNode[g.origin], &t.result.PerClass[g.class]
	node.Requests++
	class.Requests++
	onTime := w.onTime(g, how)
	if how == answered {
		response := w.now - g.began
		t.result.Responses.Add(response)
		class.Responses.Add(response)
		node.Served++
		class.Served++
		t.hops += g.forwards
		if g.executor != g.origin && !w.isPool {
			t.moved++
		}
	}
	if onTime {
		t.onTime++
		node.InDeadline++
		class.InDeadline++
	}
	w.record(g, how, onTime)
}

func (w *world) onTime(g *leg, how ending) bool {
	return how == answered && (g.due == 0 || w.now <= g.due)
}

// settled notes for the next sample that an invocation has ended.
func (t *tally) settled(onTime bool) {
	t.sample.Ended++
	if onTime {
		t.sample.InDeadline++
	}
}

func (w *world) record(g *leg, how ending, onTime bool) {
	if w.opt.Record == nil {
		return
	}
	w.opt.Record(Record{
		Entered: g.began, Origin: int(g.origin), Class: int(g.class), Executor: int(g.executor),
		Result: results[how].String(), OnTime: onTime, Response: w.now - g.began,
		Waited: g.waited, Service: g.service, Hops: g.forwards,
	})
}

// sample notes how the mesh is.
func (w *world) sample() {
	s := w.tally.sample
	s.At = w.now
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.dead {
			s.Dead++
		}
		s.Running += len(n.running)
		s.Queued += n.queue.Len()
		s.Worst = max(s.Worst, len(n.running)+n.queue.Len())
	}
	s.Learning = w.learning()
	w.tally.result.Samples = append(w.tally.result.Samples, s)
	w.tally.sample = Sample{}
	if w.now+w.opt.Sample <= w.end {
		w.agenda.add(event{at: w.now + w.opt.Sample, kind: sampling})
	}
}

// sum makes the result of what was counted.
func (t *tally) sum(w *world) *Result {
	r := &t.result
	for _, n := range t.endings {
		r.Requests += n
	}
	all := float64(max(1, r.Requests))
	r.Served, r.Refused = float64(t.endings[answered])/all, float64(t.endings[refused])/all
	r.Expired, r.Lost = float64(t.endings[expired])/all, float64(t.endings[lost])/all
	r.InDeadline = float64(t.onTime) / all
	r.Mean, r.P50 = r.Responses.Mean().Seconds(), r.Responses.Quantile(0.50).Seconds()
	r.P95, r.P99 = r.Responses.Quantile(0.95).Seconds(), r.Responses.Quantile(0.99).Seconds()
	r.Forwarded, r.Hops = float64(t.moved)/all, float64(t.hops)/float64(max(1, t.endings[answered]))
	r.Probes, r.Pulls, r.Gossip = float64(t.messages[0])/all, float64(t.messages[1])/all, float64(t.messages[2])/all
	r.RewardMean = r.InDeadline - probeCost*r.Probes
	r.DecisionNS = float64(t.deciding) / float64(max(1, t.decisions))
	t.share(w)
	return r
}

// probeCost is what a probe takes off the reward.
const probeCost = 0.005

// share is how fairly it went, and how busy the nodes were.
func (t *tally) share(w *world) {
	r := &t.result
	var sum, squares, count, busy, capacity float64
	for i := range r.PerNode {
		n := &r.PerNode[i]
		span := float64(w.nodes[i].servers) * float64(w.end-w.sc.Warmup)
		busy += float64(t.busy[i])
		capacity += span
		n.Busy = float64(t.busy[i]) / max(1, span)
		if n.Requests == 0 {
			continue
		}
		x := float64(n.InDeadline) / float64(n.Requests)
		if count == 0 || x < r.Worst {
			r.Worst = x
		}
		sum += x
		squares += x * x
		count++
	}
	r.Utilisation = busy / max(1, capacity)
	r.Jain = 1
	if squares > 0 {
		r.Jain = sum * sum / (count * squares)
	}
}
