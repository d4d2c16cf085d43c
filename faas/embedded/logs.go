package embedded

import (
	"context"
	"fmt"
	"iter"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

var _ faas.Logger = (*Runtime)(nil)

// removeLogs deletes what a function wrote, also before what serves, which may
// have no log, took its place: a new function of that name begins another.
// rt.change is held.
func (rt *Runtime) removeLogs(d *deployment) {
	if ro := rt.rolloutOf(d.function.Name); ro != nil && ro.next != nil && ro.next.log != nil {
		ro.next.log.Remove()
	}
	if d.log != nil {
		d.log.Remove()
	}
	child.RemoveLog(rt.logPath(d.function.Name))
}

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
