package live

import (
	"context"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"
)

// begin has all nodes go on from Config.Model, which they keep on disk from then on.
func (m *mesh) begin(ctx context.Context) error {
	if m.cfg.Model == nil {
		return nil
	}
	all, ctx := errgroup.WithContext(ctx)
	for _, n := range m.members {
		all.Go(func() error {
			if _, err := n.ask(ctx, http.MethodPut, "/system/policy/model", m.cfg.Model); err != nil {
				return fmt.Errorf("import model on node %d: %w", n.number, err)
			}
			return nil
		})
	}
	return all.Wait()
}
