package openfaas

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/p2pfaas/p2pfaas/faas"
)

var (
	_ faas.SecretKeeper    = (*Runtime)(nil)
	_ faas.NamespaceKeeper = (*Runtime)(nil)
	_ faas.Logger          = (*Runtime)(nil)
	_ faas.UsageTeller     = (*Runtime)(nil)
)

// manage makes one call of the API for what is not a function.
func (rt *Runtime) manage(ctx context.Context, action string, c call) error {
	if err := rt.available(); err != nil {
		return err
	}
	if err := rt.gateway.do(ctx, c); err != nil {
		return rt.changeFailed(ctx, action, err)
	}
	return nil
}

// lacking turns the 404 and 501 of a gateway or provider without an endpoint
// into ErrUnsupported, for endpoints that are there or not, whatever they are
// asked for.
func lacking(err error) error {
	if errors.Is(err, faas.ErrNotFound) {
		return fmt.Errorf("%w: %v", faas.ErrUnsupported, err) // not ErrNotFound any more
	}
	return err
}

// Usage implements [faas.UsageTeller]. The gateway's provider measures on each
// question, which is why it is not part of Get.
func (rt *Runtime) Usage(ctx context.Context, name faas.Name) (faas.Usage, error) {
	if err := errors.Join(rt.available(), name.Validate()); err != nil {
		return faas.Usage{}, err
	}
	s, err := rt.gateway.status(ctx, name, true)
	switch {
	case err != nil:
		return faas.Usage{}, rt.changeFailed(ctx, "usage of "+name.String(), err)
	case s.Usage == nil:
		return faas.Usage{}, fmt.Errorf("usage of %s: %w: the gateway does not tell", name, faas.ErrUnsupported)
	}
	return *s.Usage, nil
}

// get reads one JSON answer.
func get(path string, into any) call {
	return call{method: http.MethodGet, path: path, into: into}
}
