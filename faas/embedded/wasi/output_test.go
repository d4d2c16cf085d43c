package wasi

import (
	"testing"

	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// TestOutputIsBounded also where the reader never has all of it.
func TestOutputIsBounded(t *testing.T) {
	o, part := newOutput(), make([]byte, watchdog.HoldBack/2)
	o.put(make([]byte, watchdog.HoldBack))
	for range 1000 {
		if n := o.take(part); n != len(part) {
			t.Fatalf("took %d of %d bytes", n, len(part))
		}
		if n := o.put(part); n != len(part) {
			t.Fatalf("put %d of %d bytes", n, len(part))
		}
	}
	if got := cap(o.bytes); got > 4*watchdog.HoldBack {
		t.Errorf("it keeps %d bytes of memory for %d", got, o.Buffered())
	}
}
