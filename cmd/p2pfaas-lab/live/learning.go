package live

import (
	"bufio"
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/p2pfaas/p2pfaas/sched"
)

// learningPrefix begins the metrics of a policy that learns.
const learningPrefix = "p2pfaas_learning_"

// learned takes in how the learning of one node goes, by what its /metrics say.
func (c *counters) learned(text []byte) {
	l := sched.Learning{Reward: math.NaN(), Agreement: math.NaN(), OnTime: math.NaN(), DefaultOnTime: math.NaN()}
	learns := false
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		series, value, ok := strings.Cut(strings.TrimPrefix(lines.Text(), learningPrefix), " ")
		if !ok || !strings.HasPrefix(lines.Text(), learningPrefix) {
			continue
		}
		if x, err := strconv.ParseFloat(value, 64); err == nil {
			learns = true
			learn(&l, series, x)
		}
	}
	if learns {
		c.learning = append(c.learning, l)
	}
}

// learn takes in one series, whose labels have no spaces.
func learn(l *sched.Learning, series string, x float64) {
	switch series {
	case "reward":
		l.Reward = x
	case "epsilon":
		l.Epsilon = x
	case "agreement":
		l.Agreement = x
	case "outcomes_total":
		l.Outcomes = uint64(x)
	case `decided_total{by="learned"}`:
		l.ByLearned = uint64(x)
	case `decided_total{by="default"}`:
		l.ByDefault = uint64(x)
	case `state{state="` + sched.Learned.String() + `"}`:
		l.State = sched.Learned
	default:
		if strings.HasPrefix(series, "state{") {
			l.State = sched.FallbackWorse // which fallback it is does not matter here
		}
	}
}
