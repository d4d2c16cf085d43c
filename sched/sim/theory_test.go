package sim_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/sched/sim"
)

// mmck is the M/M/c/K queue: c servers and K places in all.
type mmck struct {
	c, k    int
	rho, mu float64
}

// states are the probabilities of 0 to K in the system.
func (q mmck) states() []float64 {
	p, sum := []float64{1}, 1.0
	for n := 1; n <= q.k; n++ {
		p = append(p, p[n-1]*q.rho*float64(q.c)/float64(min(n, q.c)))
		sum += p[n]
	}
	for n := range p {
		p[n] /= sum
	}
	return p
}

func (q mmck) blocking() float64 { return q.states()[q.k] }

// response is by Little's law.
func (q mmck) response() float64 {
	var inside float64
	for n, p := range q.states() {
		inside += float64(n) * p
	}
	return inside / (q.rho * float64(q.c) * q.mu * (1 - q.blocking()))
}

// onTime is the chance, for one server, to be let in and answered within d: who finds
// n there stays for n+1 services.
func (q mmck) onTime(d float64) float64 {
	var sum float64
	for n, p := range q.states()[:q.k] {
		late, term := 0.0, math.Exp(-q.mu*d)
		for i := 0; i <= n; i++ {
			late += term
			term *= q.mu * d / float64(i+1)
		}
		sum += p * (1 - late)
	}
	return sum
}

func TestQueueTheory(t *testing.T) {
	t.Parallel()
	for _, q := range []mmck{
		{c: 1, k: 1, rho: 0.8, mu: 10}, // Erlang B
		{c: 4, k: 4, rho: 0.7, mu: 10},
		{c: 12, k: 12, rho: 0.9, mu: 10},
		{c: 1, k: 5, rho: 0.5, mu: 10}, // M/M/1/K
		{c: 1, k: 11, rho: 0.81, mu: 10},
		{c: 1, k: 11, rho: 1.15, mu: 10},
		{c: 2, k: 6, rho: 0.8, mu: 10}, // M/M/c/K
		{c: 4, k: 12, rho: 0.95, mu: 10},
	} {
		t.Run(fmt.Sprintf("c=%d K=%d rho=%v", q.c, q.k, q.rho), func(t *testing.T) {
			sc := alike(4, q.c, q.k-q.c, q.rho, 1000*time.Second/time.Duration(q.c))
			sc.Classes[0].Deadline = 300 * time.Millisecond
			results := runs(t, sc, sim.Options{Policy: "local"}, 6)
			over(results, refused).holds(t, "blocking", q.blocking(), 0.25)
			over(results, mean).holds(t, "response", q.response(), 0.05)
			if q.c == 1 {
				over(results, func(r *sim.Result) float64 { return r.InDeadline }).holds(t, "on time", q.onTime(0.3), 0.12)
			}
		})
	}
}

// TestPooledTheory: the pool of twelve nodes is one M/M/12/K.
func TestPooledTheory(t *testing.T) {
	t.Parallel()
	q := mmck{c: 12, k: 12 * 3, rho: 0.9, mu: 10}
	results := runs(t, alike(12, 1, 2, q.rho, 500*time.Second), sim.Options{Policy: "pooled"}, 6)
	over(results, refused).holds(t, "blocking", q.blocking(), 0.8)
	over(results, mean).holds(t, "response", q.response(), 0.05)
}

// TestFixedService: M/D/1, by Pollaczek and Khinchine.
func TestFixedService(t *testing.T) {
	t.Parallel()
	sc := alike(8, 1, 10_000, 0.8, 600*time.Second)
	sc.Classes[0].Distribution = sim.Fixed
	results := runs(t, sc, sim.Options{Policy: "local"}, 6)
	over(results, mean).holds(t, "response", 0.1*(1+0.8/(2*(1-0.8))), 0.05)
}

// TestSupermarket: with the shortest of d queues drawn at random among very many,
// the mean response is the sum of rho^((d^i-d)/(d-1)).
func TestSupermarket(t *testing.T) {
	t.Parallel()
	for _, d := range []int{1, 2, 3} {
		t.Run(fmt.Sprint("d=", d), func(t *testing.T) {
			nodes, rho, duration := 150, 0.9, 12*time.Second
			if d == 1 {
				nodes, rho, duration = 50, 0.7, 150*time.Second // slow to settle, but each for itself
			}
			theory, exponent := 0.0, 0.0
			for i := range 200 {
				theory += 0.1 * math.Pow(rho, exponent)
				exponent += math.Pow(float64(d), float64(i+1))
			}
			sc := alike(nodes, 1, 100_000, rho, duration)
			results := runs(t, sc, sim.Options{Policy: "jsq-d", Set: map[string]string{"d": fmt.Sprint(d)}}, 3)
			e := over(results, mean)
			if math.Abs(e.mean/theory-1) > 0.03+4*e.err/theory || e.err/theory > 0.03 {
				t.Errorf("response %.4f ± %.4f, in theory %.4f", e.mean, e.err, theory)
			}
		})
	}
}

// TestHerding: of many nodes that all go where old news shows the least load, all
// go to the same place, which is worse than chance; two choices stay good.
func TestHerding(t *testing.T) {
	t.Parallel()
	sc := alike(100, 1, 100_000, 0.9, 20*time.Second)
	sc.Gossip = 2 * time.Second // twenty services
	response := func(policy string, set map[string]string) float64 {
		return over(runs(t, sc, sim.Options{Policy: policy, Set: set}, 1), mean).mean * 10
	}
	random := response("random", map[string]string{"free": "false"})
	all := response("least-loaded", map[string]string{"free": "false", "own": "false"})
	two := response("least-loaded", map[string]string{"free": "false", "own": "false", "d": "2"})
	t.Logf("in services: random %.2f, least of all %.2f, least of two %.2f", random, all, two)
	if !(all > 2*random && two < 0.8*random) {
		t.Errorf("in services: random %.2f, least of all %.2f, least of two %.2f: want more than twice, less than 0.8 times", random, all, two)
	}
}
