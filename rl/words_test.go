package rl

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// toldOf trains an estimator in a world, and is what it says of it.
func toldOf(e estimator, truth func(p *place) float64, turns int, peers ...peer.ID) []sched.Sentence {
	rng := rand.New(rand.NewPCG(1, 1))
	w := words{asked: still(e)}
	for i := range turns {
		p := somewhere(rng)
		p.size = max(-sizeRange, min(sizeRange, rng.NormFloat64()))
		p.now = time.Duration(i) * 20 * time.Millisecond
		w.now = p.now
		reward := 0.0
		if rng.Float64() < truth(&p) {
			reward = 1
		}
		e.learn(&p, reward)
	}
	w.asked = still(e)
	w.calibration("here", w.typical(false))
	w.calibration("elsewhere", w.typical(true))
	w.differences()
	w.peers(peers)
	return w.sentences
}

var number = regexp.MustCompile(`[-+]?\d+ (%|points)`)

// firstNumber is the first share or difference that a sentence tells, in points.
func firstNumber(t *testing.T, all []sched.Sentence, of peer.ID, contains string) float64 {
	t.Helper()
	for _, s := range all {
		if s.Peer != of || !strings.Contains(s.Text, contains) {
			continue
		}
		_, rest, _ := strings.Cut(s.Text, ":")
		if of != "" {
			rest = s.Text
		} else if _, typical, ok := strings.Cut(s.Text, "95 % is reckoned, "); ok {
			rest = typical // what is said of 80 %
		}
		if strings.Contains(rest, "no difference") {
			return 0
		}
		x, err := strconv.ParseFloat(strings.Fields(number.FindString(rest))[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	t.Fatalf("nothing is said of %q about %q: %q", of, contains, all)
	return 0
}

// TestWordsTellTheTruth: what is said of a known world holds in it, within what the
// estimator can know.
func TestWordsTellTheTruth(t *testing.T) {
	large := func(p *place) float64 { return probability(p.prior - 0.3*max(0, p.size)) }
	optimist := func(p *place) float64 {
		if p.remote {
			return p.prior
		}
		return sigmoid(logit(p.prior) - 1.2)
	}
	type claim struct {
		of           peer.ID
		about        string
		want, within float64
	}
	cases := []struct {
		name   string
		truth  func(p *place) float64
		claims []claim
	}{
		{"a slow peer", truth, []claim{{"slow", "on time", 38, 14}, {"well", "on time", 80, 9}, {"", "on time here", 80, 10}}},
		{"large bodies are late", large, []claim{{"", "three times the usual size", -33, 15}, {"fine", "on time", 80, 12}}},
		{"slower here than believed", optimist, []claim{{"", "on time here", 55, 10}, {"fine", "on time", 80, 9}}},
	}
	for name, fresh := range map[string]func() estimator{
		"logistic": func() estimator { return newLogistic() }, "residual": func() estimator { return newResidual(0.05) },
	} {
		for _, c := range cases {
			t.Run(name+", "+c.name, func(t *testing.T) {
				said := toldOf(fresh(), c.truth, 30_000, "slow", "well", "fine", "nobody")
				for _, k := range c.claims {
					got := firstNumber(t, said, k.of, k.about)
					if got < k.want-k.within || got > k.want+k.within {
						t.Errorf("of %q about %q it says %v, want %v ± %v", k.of, k.about, got, k.want, k.within)
					}
				}
				if last := said[len(said)-1].Text; last != "peers in view of which nothing is known: 1" {
					t.Errorf("of whom it never met it says %q", last)
				}
			})
		}
	}
}

// TestWordsOfNothing: who has learned nothing agrees with the default.
func TestWordsOfNothing(t *testing.T) {
	for _, e := range []estimator{newLogistic(), newResidual(0.05)} {
		said := fmt.Sprint(toldOf(e, truth, 0, "a", "b"))
		for _, want := range []string{"on time here: 95 %", "80 % is reckoned", "on time elsewhere: 95 %", "no difference", "nothing is known: 2"} {
			if !strings.Contains(said, want) {
				t.Errorf("%q does not say %q", said, want)
			}
		}
		if number := regexp.MustCompile(`[+-]\d+ points`).FindString(said); number != "" {
			t.Errorf("it says %s of what it does not know", number)
		}
	}
}

// TestWordsOfActions: an agent tells what it has found to be best.
func TestWordsOfActions(t *testing.T) {
	worth := func(drawn float64, action int) float64 {
		switch action {
		case actionHere:
			return 0.6
		case actionDrawn:
			return 0.9 - drawn
		}
		return 0.1
	}
	for _, rule := range []Rule{DifferentialSARSA, QLearning} {
		a := NewAgent(AgentConfig{Rule: rule, Alpha: 0.1, Usual: actionHere})
		rng := rand.New(rand.NewPCG(1, 2))
		for range 20_000 {
			state, action := []float64{0.5 + 0.3*rng.Float64(), 0.8 * rng.Float64()}, rng.IntN(actionDrawn+1)
			a.Learn(&Transition{State: state, Action: action, Reward: worth(state[1], action), Terminal: true})
		}
		for _, s := range a.inTypicalStates() {
			want := "run here, "
			if strings.Contains(s.Text, "drawn idle") {
				want = "forward, "
			}
			_, does, _ := strings.Cut(s.Text[strings.Index(s.Text, "drawn"):], ": ")
			if !strings.HasPrefix(does, want) {
				t.Errorf("rule %d: %s", rule, s.Text)
			}
		}
		gap := a.preference([]float64{0.6, 0}, AllActions(actionDrawn+1))
		var by float64
		if _, err := fmt.Sscanf(gap, "forward, %f of reward before run here", &by); err != nil || by < 0.2 || by > 0.4 {
			t.Errorf("rule %d: with an idle peer drawn it says %q, want 0.3 before run here", rule, gap)
		}
	}
}

// TestWordsOfTables: in states that were met, with peers in view alone.
func TestWordsOfTables(t *testing.T) {
	p := newTemporal(new(sched.Settings), "sarsa", DifferentialSARSA)
	p.form = formTable
	a := p.agents.get("")
	for _, id := range []peer.ID{"a", "b"} {
		if _, _, ok := p.columns.get(id); !ok {
			t.Fatal("no column")
		}
	}
	for i := range 300 {
		state := []float64{0, float64(i % 2), float64(i % 3)}
		a.values.move(state, p.columns.of["a"], 0.02)
		a.values.move(state, p.columns.of["b"], 0.01)
	}
	said := p.Explain([]peer.ID{"a", "b"})
	if len(said) != 1 || len(said[0].Sentences) != 6 || said[0].Outcomes != 600 {
		t.Fatalf("it says %+v of six states", said)
	}
	for _, s := range said[0].Sentences {
		if s.Peer != "a" || !strings.Contains(s.Text, "forward, 0.50 of reward before forward") {
			t.Errorf("it says %+v", s)
		}
	}
	for _, s := range p.Explain([]peer.ID{"b"})[0].Sentences {
		if s.Peer != "b" {
			t.Errorf("of who is not in view it says %+v", s)
		}
	}
}
