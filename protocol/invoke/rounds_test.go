package invoke

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever falls due within one step of rounds is seen to by the same one, the first
// that is not before it.
func TestRoundsAreShared(t *testing.T) {
	r := rounds{begun: time.Now()}
	rapid.Check(t, func(t *rapid.T) {
		due := r.begun.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "due")))
		at := r.following(due)
		if wait := at.Sub(due); wait < 0 || wait >= roundEvery {
			t.Fatalf("looked after %v later", wait)
		}
		if at.Sub(r.begun)%roundEvery != 0 || !r.following(at).Equal(at) {
			t.Fatalf("%v after the first is no round", at.Sub(r.begun))
		}
	})
}

// An idle server has no rounds, and no memory of its streams.
func TestRoundsEnd(t *testing.T) {
	var r rounds
	r.init()
	defer r.stop()
	idle := &inStream{srv: &Server{}}
	idle.due = time.Now()
	r.add(idle, idle.due, false)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		done := r.next.IsZero() && len(r.streams) == 0 && r.spare != nil
		r.mu.Unlock()
		if done {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the round is not over")
		}
	}
	for _, st := range r.spare[:cap(r.spare)] {
		if st != nil {
			t.Error("a stream is kept from being collected")
		}
	}
	if !idle.due.IsZero() {
		t.Error("the stream believes that it is looked after")
	}
}
