package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/p2pfaas/p2pfaas/faas"
)

// samples are the built-in functions that --samples deploys.
func samples() []faas.Function {
	idempotent := map[string]string{faas.AnnotationIdempotent: "true"}
	list := []faas.Function{}
	for _, name := range []string{"hello", "echo", "sleep", "burn", "stream", "env"} {
		list = append(list, faas.Function{
			Name:        faas.Name{Function: name, Namespace: faas.DefaultNamespace},
			Image:       "builtin:" + name,
			Annotations: idempotent,
		})
	}
	return list
}

// deploySamples deploys those samples whose names are not taken.
func deploySamples(ctx context.Context, rt faas.Runtime) error {
	for _, f := range samples() {
		_, err := rt.Get(ctx, f.Name)
		if err == nil {
			continue
		}
		if !errors.Is(err, faas.ErrNotFound) {
			return fmt.Errorf("look for sample %s: %w", f.Name, err)
		}
		if err := rt.Deploy(ctx, f); err != nil {
			return fmt.Errorf("deploy sample %s: %w", f.Name, err)
		}
	}
	return nil
}
