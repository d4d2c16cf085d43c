package node

import (
	"io"
	"strings"
	"testing"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Who has an answer may call again at once: a node without a line must not say
// that it is full.
func TestServerIsFreeBeforeTheAnswerArrives(t *testing.T) {
	for _, body := range []string{"", "body"} {
		b := newBench(t, nil, runHere)
		r := invoke.Request{Function: "fn", Size: int64(len(body)), Body: strings.NewReader(body)}
		a, err := b.dispatch(t.Context(), newInvocation(&r, patient{}, b.budget))
		if err != nil {
			t.Fatal(err)
		}
		if l := b.slots.load(); body != "" && l.Running != 1 {
			t.Errorf("body %q: %d running while the function may still be at work, want 1", body, l.Running)
		}
		if _, err := io.ReadFull(a.Body, make([]byte, len(body))); err != nil {
			t.Fatal(err)
		}
		if l := b.slots.load(); l.Running != 0 {
			t.Errorf("body %q: a server is held although the function has ended", body)
		}
		if err := a.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if len(b.policy.outcomes) != 1 {
			t.Errorf("body %q: %d outcomes, want 1", body, len(b.policy.outcomes))
		}
	}
}
