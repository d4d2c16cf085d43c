package node

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// speaker is a pupil with something to say.
type speaker struct {
	pupil
	of []peer.ID
}

func (s *speaker) Explain(peers []peer.ID) []sched.Explanation {
	s.of = peers
	return []sched.Explanation{{Function: "f", Outcomes: 3, Sentences: []sched.Sentence{{Text: "all is well"}}}}
}

func TestExplained(t *testing.T) {
	n := scheduler(t, t.TempDir(), nil)
	get := func() string {
		w := httptest.NewRecorder()
		n.showPolicy(w, httptest.NewRequest(http.MethodGet, "/system/policy", nil))
		return w.Body.String()
	}
	if got := get(); strings.Contains(got, "explained") {
		t.Errorf("who has nothing to say says %s", got)
	}
	n.dispatcher.policy.use("speaker", new(speaker))
	const want = `"explained":[{"function":"f","outcomes":3,"sentences":[{"text":"all is well"}]}]`
	if got := get(); !strings.Contains(got, want) {
		t.Errorf("it says %s, want %s in it", got, want)
	}
}
