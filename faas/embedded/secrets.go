package embedded

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
)

var _ faas.SecretKeeper = (*Runtime)(nil)

// Secrets implements [faas.SecretKeeper].
func (rt *Runtime) Secrets(_ context.Context, namespace string) ([]faas.Secret, error) {
	if rt.inPhase() != phaseRunning {
		return nil, errNotRunning()
	}
	if namespace != "" {
		if err := faas.ValidateNamespace(namespace); err != nil {
			return nil, err
		}
	}
	return rt.secrets.list(namespace)
}

// CreateSecret implements [faas.SecretKeeper].
func (rt *Runtime) CreateSecret(_ context.Context, s faas.Secret) error {
	return rt.changeSecret(s, func() error {
		if rt.secrets.has(s.Namespace, s.Name) {
			return fmt.Errorf("secret %q in namespace %s: %w; update it instead", s.Name, s.Namespace, faas.ErrExists)
		}
		return rt.secrets.write(s)
	})
}

// UpdateSecret implements [faas.SecretKeeper]. Functions that run see the new
// value when they read the file again.
func (rt *Runtime) UpdateSecret(_ context.Context, s faas.Secret) error {
	return rt.changeSecret(s, func() error {
		if !rt.secrets.has(s.Namespace, s.Name) {
			return fmt.Errorf("secret %q in namespace %s: %w", s.Name, s.Namespace, faas.ErrNotFound)
		}
		if err := rt.secrets.write(s); err != nil {
			return err
		}
		if err := rt.views.update(s); err != nil {
			return fmt.Errorf("show the new value to functions that run: %w", err)
		}
		return nil
	})
}

// DeleteSecret implements [faas.SecretKeeper]. It refuses while a function names
// the secret, which could not be started any more.
func (rt *Runtime) DeleteSecret(_ context.Context, namespace, name string) error {
	s := faas.Secret{Namespace: namespace, Name: name}
	return rt.changeSecret(s, func() error {
		if !rt.secrets.has(namespace, name) {
			return fmt.Errorf("secret %q in namespace %s: %w", name, namespace, faas.ErrNotFound)
		}
		if users := rt.naming(s); len(users) > 0 {
			return fmt.Errorf("secret %q in namespace %s: %w: it is named by %s; remove or change what names it first", name, namespace, faas.ErrInvalid, strings.Join(users, ", "))
		}
		return rt.secrets.remove(namespace, name)
	})
}

// changeSecret does one change at a time, and none while a deployment changes.
func (rt *Runtime) changeSecret(s faas.Secret, change func() error) error {
	if err := s.Validate(); err != nil {
		return err
	}
	rt.change.Lock()
	defer rt.change.Unlock()
	if rt.inPhase() != phaseRunning {
		return errNotRunning()
	}
	return change()
}

// naming returns the functions that name a secret, sorted.
func (rt *Runtime) naming(s faas.Secret) []string {
	var all []string
	for _, f := range rt.functions() {
		if f.Name.Namespace == s.Namespace && slices.Contains(f.Secrets, s.Name) {
			all = append(all, f.Name.String())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// functions returns those that are deployed, both versions of one that is being
// replaced.
func (rt *Runtime) functions() []faas.Function {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	var all []faas.Function
	for _, d := range rt.byName {
		all = append(all, d.function)
	}
	for _, ro := range rt.rollouts {
		all = append(all, ro.function)
	}
	return all
}

// hasSecrets returns an error unless all secrets that f names are there.
func (rt *Runtime) hasSecrets(f *faas.Function) error {
	for _, name := range f.Secrets {
		if err := faas.ValidateSecretName(name); err != nil {
			return err
		}
		if !rt.secrets.has(f.Name.Namespace, name) {
			return fmt.Errorf("secret %q: %w: there is none of that name in namespace %s; create it first: p2pfaas-node secret create %s --namespace %s",
				name, faas.ErrInvalid, f.Name.Namespace, name, f.Name.Namespace)
		}
	}
	return nil
}
