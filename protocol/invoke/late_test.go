package invoke_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// A body that breaks off just when a second goroutine is due ends its stream once.
func TestBodyBreaksOffAsTheSecondGoroutineIsDue(t *testing.T) {
	p := newPair(t, pairOptions{transport: "tcp"}, func(context.Context, *invoke.Call) (*invoke.Answer, error) {
		return text(200, ""), nil
	})
	for range 10 {
		var wg sync.WaitGroup
		for i := range 32 {
			raw := openRaw(t, p)
			wg.Go(func() {
				_, _ = raw.Write(frame(t, request(100)))
				time.Sleep(9700*time.Microsecond + time.Duration(i*20)*time.Microsecond)
				_ = raw.Reset()
			})
		}
		wg.Wait()
	}
	if got := readAll(t, mustInvoke(t, p, post("x"))); got != "" {
		t.Errorf("answer %q afterwards", got)
	}
}
