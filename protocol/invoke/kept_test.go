package invoke_test

import (
	"context"
	"io"
	"testing"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// TestKeptStreamOutlivesEarlyAnswers: a body that was sent whole, to a handler that
// answers or refuses without it, must not leave a stream to the pool that the server
// closes under the next invocation.
func TestKeptStreamOutlivesEarlyAnswers(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
			switch c.Function {
			case "refuses":
				return nil, &invoke.Error{Code: invoke.CodeRefused, Text: "4 of 4 servers busy"}
			case "early":
				c.Start()
				return text(200, "early"), nil
			}
			return echo(ctx, c)
		})
		for i := range 60 {
			large := post("")
			large.Function = []string{"refuses", "early"}[i%2]
			large.Size, large.Rewindable, large.Body = 300<<10, true, io.LimitReader(&counter{}, 300<<10)
			if a, err := p.client.Invoke(within(t), p.peer(), large); err == nil {
				_ = readAll(t, a)
			}
			if got := readAll(t, mustInvoke(t, p, post("next"))); got != "next" {
				t.Fatalf("answer %q", got)
			}
		}
	})
}
