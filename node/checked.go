package node

import (
	"context"

	"github.com/p2pfaas/p2pfaas/faas"
)

// checkedRuntime is the runtime as the API changes it: what the node could not
// honour is refused, and each change is known to dispatch and to the mesh when
// the call returns.
type checkedRuntime struct {
	faas.Runtime
	changed func(context.Context) error
}

// Unwrap is for package api, which looks for what the runtime offers besides.
func (r *checkedRuntime) Unwrap() faas.Runtime { return r.Runtime }

// Deploy implements faas.Runtime.
func (r *checkedRuntime) Deploy(ctx context.Context, f faas.Function) error {
	if err := checkAnnotations(&f); err != nil {
		return err
	}
	return r.then(ctx, r.Runtime.Deploy(ctx, f))
}

// Remove implements faas.Runtime.
func (r *checkedRuntime) Remove(ctx context.Context, name faas.Name) error {
	return r.then(ctx, r.Runtime.Remove(ctx, name))
}

// Scale implements faas.Runtime.
func (r *checkedRuntime) Scale(ctx context.Context, name faas.Name, replicas int) error {
	return r.then(ctx, r.Runtime.Scale(ctx, name, replicas))
}

func (r *checkedRuntime) then(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	return r.changed(ctx)
}
