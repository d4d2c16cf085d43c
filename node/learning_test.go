package node

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/p2pfaas/p2pfaas/sched"
)

// scholar is a pupil that tells how it gets on.
type scholar struct {
	pupil
	is sched.Learning
}

func (s *scholar) Learning() sched.Learning { return s.is }

func TestLearningIsTold(t *testing.T) {
	n := scheduler(t, t.TempDir(), nil)
	mux := http.NewServeMux()
	n.policyRoutes(mux, func(h http.Handler) http.Handler { return h })
	get := func() string {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/system/policy", nil))
		return w.Body.String()
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(newLearningMetrics(n.dispatcher.policy))
	metrics := func() string {
		w := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return w.Body.String()
	}
	if strings.Contains(metrics(), "learning") || strings.Contains(get(), "learning") {
		t.Errorf("a policy that learns nothing: %s, %s", metrics(), get())
	}
	n.dispatcher.policy.use("scholar", &scholar{is: sched.Learning{
		State: sched.FallbackWorse, Fallbacks: 2, Reward: math.NaN(), OnTime: .8, DefaultOnTime: .9, Agreement: math.NaN(),
		Outcomes: 7, Actions: []sched.LearningAction{{Action: "forward", Count: 5}},
	}})
	for _, part := range []string{`"state":"fallback-worse"`, `"on_time":0.8`, `"default_on_time":0.9`, `"decisions":{"forward":5}`} {
		if got := get(); !strings.Contains(got, part) || strings.Contains(got, `"reward"`) {
			t.Errorf("%s does not say %s, or a reward that is no number", got, part)
		}
	}
	for _, part := range []string{
		`p2pfaas_learning_decisions_total{action="forward"} 5`, `p2pfaas_learning_state{state="fallback-worse"} 1`,
		`p2pfaas_learning_on_time{by="default"} 0.9`, "p2pfaas_learning_fallbacks_total 2",
	} {
		if got := metrics(); !strings.Contains(got, part) || strings.Contains(got, "NaN") {
			t.Errorf("%s is not in, or a NaN is:\n%s", part, got)
		}
	}
}
