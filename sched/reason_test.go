package sched

import "testing"

// Codes cross the wire and are kept: each has one text of its own, without gaps.
func TestReasons(t *testing.T) {
	seen := map[string]Reason{}
	for code := range Reason(len(reasonText)) {
		text, ok := reasonText[code]
		if !ok {
			t.Errorf("code %d has no text", code)
		}
		if other, twice := seen[text]; twice {
			t.Errorf("codes %d and %d are both %q", other, code, text)
		}
		seen[text] = code
	}
	if got := Reason(200).String(); got != "reason-200" {
		t.Errorf("a code from a newer node is %q", got)
	}
}

func TestActionsAndResults(t *testing.T) {
	for a, want := range map[Action]string{Run: "run", Forward: "forward", Refuse: "refuse",
		Probe: "probe", Wait: "wait", Ask: "ask", 9: "action-9"} {
		if a.String() != want {
			t.Errorf("action %d is %q, want %q", a, a, want)
		}
	}
	for r, want := range map[Result]string{Answered: "answered", Refused: "refused", Expired: "expired",
		Failed: "failed", Cancelled: "cancelled", 9: "result-9"} {
		if r.String() != want {
			t.Errorf("result %d is %q, want %q", r, r, want)
		}
	}
}
