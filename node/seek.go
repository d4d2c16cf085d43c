package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// own is the function as it is deployed here, nil if it is not. Where neither
// this node nor a neighbour is known to have it, the runtime is asked: some
// cannot list what they have. The error says that it cannot tell.
func (d *dispatcher) own(ctx context.Context, id string) (*function, error) {
	if fn := d.functions.get(id); fn != nil || !d.functions.seeks || d.mesh.Runs(id) {
		return fn, nil
	}
	return d.functions.seek(ctx, id)
}

// seekLimit bounds the question for a function that is not listed.
const seekLimit = 2 * time.Second

// seek asks the runtime for a function that its list did not have. It returns
// nil without an error if there is none.
func (f *functions) seek(ctx context.Context, id string) (*function, error) {
	name, err := faas.ParseName(id)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, seekLimit, fmt.Errorf("%w: it did not tell within %v whether there is a function %s", faas.ErrUnavailable, seekLimit, id))
	defer cancel()
	if _, err = f.runtime.Get(ctx, name); err == nil {
		err = f.reload(ctx)
	}
	if errors.Is(err, faas.ErrNotFound) {
		return nil, nil
	}
	return f.get(id), err
}
