package embedded

import (
	"context"
	"fmt"
	"iter"

	"github.com/p2pfaas/p2pfaas/faas"
)

var _ faas.Logger = (*Runtime)(nil)

// Logs implements [faas.Logger]. A line's instance is the id of the process that
// wrote it. Following ends when the function is removed.
func (rt *Runtime) Logs(ctx context.Context, q faas.LogQuery) (iter.Seq2[faas.LogLine, error], error) {
	d, err := rt.lookup(q.Name)
	if err != nil {
		return nil, err
	}
	if d.log == nil {
		return nil, fmt.Errorf("logs of %s, which runs elsewhere: %w", q.Name, faas.ErrUnsupported)
	}
	return d.log.Lines(ctx, q), nil
}
