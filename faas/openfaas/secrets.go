package openfaas

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"

	"github.com/openfaas/faas-provider/types"

	"github.com/p2pfaas/p2pfaas/faas"
)

const secretsPath = "/system/secrets"

// Secrets implements [faas.SecretKeeper].
func (rt *Runtime) Secrets(ctx context.Context, namespace string) ([]faas.Secret, error) {
	if err := rt.available(); err != nil {
		return nil, err
	}
	namespaces := []string{namespace}
	if namespace == "" {
		var err error
		if namespaces, err = rt.gateway.namespaces(ctx); err != nil {
			return nil, rt.changeFailed(ctx, "list secrets", err)
		}
	}
	list := []faas.Secret{}
	for _, in := range namespaces {
		some, err := rt.gateway.secrets(ctx, in)
		if err != nil {
			return nil, rt.changeFailed(ctx, "list secrets", lacking(err))
		}
		list = append(list, some...)
	}
	slices.SortFunc(list, func(a, b faas.Secret) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
	return list, nil
}

// secrets lists those of one namespace, of the gateway's own with "".
func (g *gateway) secrets(ctx context.Context, namespace string) ([]faas.Secret, error) {
	var answer []types.Secret
	c := get(secretsPath, &answer)
	if namespace != "" {
		c.query = url.Values{"namespace": {namespace}}
	}
	if err := g.do(ctx, c); err != nil {
		return nil, err
	}
	list := make([]faas.Secret, 0, len(answer))
	for i := range answer {
		in := cmp.Or(answer[i].Namespace, namespace, faas.DefaultNamespace)
		list = append(list, faas.Secret{Name: answer[i].Name, Namespace: in})
	}
	return list, nil
}

// CreateSecret implements [faas.SecretKeeper]. Some providers overwrite what is
// there, so it is looked for first.
func (rt *Runtime) CreateSecret(ctx context.Context, s faas.Secret) error {
	if err := s.Validate(); err != nil {
		return err
	}
	found, err := rt.Secrets(ctx, s.Namespace)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(found, func(f faas.Secret) bool { return f.Name == s.Name }) {
		return fmt.Errorf("secret %q: %w", s.Name, faas.ErrExists)
	}
	return rt.changeSecret(ctx, http.MethodPost, s)
}

// UpdateSecret implements [faas.SecretKeeper].
func (rt *Runtime) UpdateSecret(ctx context.Context, s faas.Secret) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return rt.changeSecret(ctx, http.MethodPut, s)
}

// DeleteSecret implements [faas.SecretKeeper].
func (rt *Runtime) DeleteSecret(ctx context.Context, namespace, name string) error {
	s := faas.Secret{Name: name, Namespace: namespace}
	if err := s.Validate(); err != nil {
		return err
	}
	return rt.changeSecret(ctx, http.MethodDelete, s)
}

// changeSecret sends a value as text where it is text: older providers know
// nothing else.
func (rt *Runtime) changeSecret(ctx context.Context, method string, s faas.Secret) error {
	body := types.Secret{Name: s.Name, Namespace: s.Namespace}
	if utf8.Valid(s.Value) {
		body.Value = string(s.Value)
	} else {
		body.RawValue = s.Value
	}
	return rt.manage(ctx, "secret "+s.Name, call{method: method, path: secretsPath, body: body})
}
