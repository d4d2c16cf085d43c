package openfaas

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
)

// Deploy implements [faas.Runtime]: an update, and where there is nothing to
// update a creation, as faas-cli does.
func (rt *Runtime) Deploy(ctx context.Context, f faas.Function) error {
	if err := f.Name.Validate(); err != nil {
		return err
	}
	if err := rt.available(); err != nil {
		return err
	}
	c := call{method: http.MethodPut, path: "/system/functions", body: api.FromFunction(&f)}
	err := rt.gateway.do(ctx, c)
	if errors.Is(err, faas.ErrNotFound) {
		c.method = http.MethodPost
		err = rt.gateway.do(ctx, c)
	}
	if err != nil {
		return rt.changeFailed(ctx, "deploy "+f.Name.String(), err)
	}
	rt.table.changedByUs(func(m map[faas.Name]*entry) {
		if m[f.Name] == nil { // where there is no list, it would not be known
			m[f.Name] = newEntry(faas.Status{Function: copied(f)})
		} else {
			m[f.Name].read = time.Time{}
		}
	})
	return nil
}

// Remove implements [faas.Runtime].
func (rt *Runtime) Remove(ctx context.Context, name faas.Name) error {
	err := rt.change(ctx, name, call{
		method: http.MethodDelete, path: "/system/functions",
		query: url.Values{"namespace": {name.Namespace}}, // where older gateways look for it
		body:  types.DeleteFunctionRequest{FunctionName: name.Function, Namespace: name.Namespace},
	})
	if err != nil {
		return rt.changeFailed(ctx, "remove "+name.String(), err)
	}
	rt.table.changedByUs(func(m map[faas.Name]*entry) { delete(m, name) })
	return nil
}

// Scale implements [faas.Runtime]. A gateway may have bounds of its own and
// take the nearest number without a word; the community one has 1 to 5.
func (rt *Runtime) Scale(ctx context.Context, name faas.Name, replicas int) error {
	if replicas < 0 {
		return fmt.Errorf("scale %s to %d replicas: %w: want 0 or more", name, replicas, faas.ErrInvalid)
	}
	err := rt.change(ctx, name, call{
		method: http.MethodPost, path: "/system/scale-function/" + name.Function,
		query: url.Values{"namespace": {name.Namespace}},
		body:  types.ScaleServiceRequest{ServiceName: name.Function, Replicas: uint64(replicas), Namespace: name.Namespace},
	})
	if err != nil {
		return rt.changeFailed(ctx, "scale "+name.String(), err)
	}
	rt.table.changedByUs(func(m map[faas.Name]*entry) {
		if e := m[name]; e != nil {
			e.read = time.Time{}
		}
	})
	return nil
}

func (rt *Runtime) change(ctx context.Context, name faas.Name, c call) error {
	if err := name.Validate(); err != nil {
		return err
	}
	if err := rt.available(); err != nil {
		return err
	}
	return rt.gateway.do(ctx, c)
}

func (rt *Runtime) changeFailed(ctx context.Context, action string, err error) error {
	if ctx.Err() == nil {
		rt.doubt(err)
	}
	return fmt.Errorf("%s: %w", action, err)
}

// copied shares nothing with f that its owner may change.
func copied(f faas.Function) faas.Function {
	f.EnvVars, f.Labels, f.Annotations = maps.Clone(f.EnvVars), maps.Clone(f.Labels), maps.Clone(f.Annotations)
	f.Constraints, f.Secrets = slices.Clone(f.Constraints), slices.Clone(f.Secrets)
	return f
}
