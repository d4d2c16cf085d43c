package faastest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/p2pfaas/p2pfaas/faas"
)

var (
	_ faas.SecretKeeper    = (*Fake)(nil)
	_ faas.NamespaceKeeper = (*Fake)(nil)
	_ faas.Logger          = (*Fake)(nil)
)

// fakeKeep is what a Fake keeps besides functions, guarded by its mu.
type fakeKeep struct {
	secrets    map[secretKey]faas.Secret
	namespaces map[string]faas.Namespace // those that were created
}

type secretKey struct{ namespace, name string }

// has returns an error unless all secrets that fn names are there.
func (k *fakeKeep) has(fn faas.Function) error {
	for _, name := range fn.Secrets {
		if _, ok := k.secrets[secretKey{fn.Name.Namespace, name}]; !ok {
			return fmt.Errorf("deploy %s: secret %q: %w: there is none of that name in namespace %s", fn.Name, name, faas.ErrInvalid, fn.Name.Namespace)
		}
	}
	return nil
}

// Secrets implements [faas.SecretKeeper].
func (f *Fake) Secrets(_ context.Context, namespace string) ([]faas.Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []faas.Secret{}
	for k := range f.keep.secrets {
		if namespace == "" || k.namespace == namespace {
			list = append(list, faas.Secret{Name: k.name, Namespace: k.namespace})
		}
	}
	slices.SortFunc(list, func(a, b faas.Secret) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
	return list, f.open()
}

// SecretValue is for tests of who creates secrets.
func (f *Fake) SecretValue(namespace, name string) (value []byte, found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, found := f.keep.secrets[secretKey{namespace, name}]
	return slices.Clone(s.Value), found
}

// CreateSecret implements [faas.SecretKeeper].
func (f *Fake) CreateSecret(_ context.Context, s faas.Secret) error {
	return f.putSecret(s, false, faas.ErrExists)
}

// UpdateSecret implements [faas.SecretKeeper].
func (f *Fake) UpdateSecret(_ context.Context, s faas.Secret) error {
	return f.putSecret(s, true, faas.ErrNotFound)
}

// putSecret returns otherwise unless there is one of that name just as wanted.
func (f *Fake) putSecret(s faas.Secret, wanted bool, otherwise error) error {
	if err := s.Validate(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.open(); err != nil {
		return err
	}
	key := secretKey{s.Namespace, s.Name}
	if _, found := f.keep.secrets[key]; found != wanted {
		return fmt.Errorf("secret %q: %w", s.Name, otherwise)
	}
	if f.keep.secrets == nil {
		f.keep.secrets = make(map[secretKey]faas.Secret)
	}
	s.Value = slices.Clone(s.Value)
	f.keep.secrets[key] = s
	return nil
}

// DeleteSecret implements [faas.SecretKeeper].
func (f *Fake) DeleteSecret(_ context.Context, namespace, name string) error {
	if err := (faas.Secret{Name: name, Namespace: namespace}).Validate(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := secretKey{namespace, name}
	if _, found := f.keep.secrets[key]; !found {
		return fmt.Errorf("secret %q: %w", name, faas.ErrNotFound)
	}
	for n, fn := range f.functions {
		if n.Namespace == namespace && slices.Contains(fn.status().Secrets, name) {
			return fmt.Errorf("secret %q: %w: function %s names it", name, faas.ErrInvalid, n)
		}
	}
	delete(f.keep.secrets, key)
	return f.open()
}

// Namespaces implements [faas.NamespaceKeeper].
func (f *Fake) Namespaces(context.Context) ([]faas.Namespace, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := maps.Clone(f.keep.namespaces)
	if all == nil {
		all = make(map[string]faas.Namespace)
	}
	for _, n := range append(f.populated(), faas.DefaultNamespace) {
		if _, created := all[n]; !created {
			all[n] = faas.Namespace{Name: n}
		}
	}
	list := []faas.Namespace{}
	for _, n := range slices.Sorted(maps.Keys(all)) {
		list = append(list, copyNamespace(all[n]))
	}
	return list, f.open()
}

// populated is called with mu held.
func (f *Fake) populated() []string {
	var all []string
	for n := range f.functions {
		all = append(all, n.Namespace)
	}
	return all
}

func copyNamespace(n faas.Namespace) faas.Namespace {
	n.Labels, n.Annotations = maps.Clone(n.Labels), maps.Clone(n.Annotations)
	return n
}

// Namespace implements [faas.NamespaceKeeper].
func (f *Fake) Namespace(ctx context.Context, name string) (faas.Namespace, error) {
	all, err := f.Namespaces(ctx)
	if err != nil {
		return faas.Namespace{}, err
	}
	for _, n := range all {
		if n.Name == name {
			return n, nil
		}
	}
	return faas.Namespace{}, fmt.Errorf("namespace %q: %w", name, faas.ErrNotFound)
}

// CreateNamespace implements [faas.NamespaceKeeper].
func (f *Fake) CreateNamespace(ctx context.Context, n faas.Namespace) error {
	if err := faas.ValidateNamespace(n.Name); err != nil {
		return err
	}
	if _, err := f.Namespace(ctx, n.Name); err == nil {
		return fmt.Errorf("namespace %q: %w", n.Name, faas.ErrExists)
	}
	return f.putNamespace(n)
}

// UpdateNamespace implements [faas.NamespaceKeeper].
func (f *Fake) UpdateNamespace(ctx context.Context, n faas.Namespace) error {
	if _, err := f.Namespace(ctx, n.Name); err != nil {
		return err
	}
	return f.putNamespace(n)
}

func (f *Fake) putNamespace(n faas.Namespace) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keep.namespaces == nil {
		f.keep.namespaces = make(map[string]faas.Namespace)
	}
	f.keep.namespaces[n.Name] = copyNamespace(n)
	return f.open()
}

// DeleteNamespace implements [faas.NamespaceKeeper].
func (f *Fake) DeleteNamespace(ctx context.Context, name string) error {
	if _, err := f.Namespace(ctx, name); err != nil {
		return err
	}
	if name == faas.DefaultNamespace {
		return fmt.Errorf("namespace %q: %w: it is the default one, which stays", name, faas.ErrInvalid)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(f.populated(), name) {
		return fmt.Errorf("namespace %q: %w: functions are in it", name, faas.ErrInvalid)
	}
	for k := range f.keep.secrets {
		if k.namespace == name {
			return fmt.Errorf("namespace %q: %w: secrets are in it", name, faas.ErrInvalid)
		}
	}
	delete(f.keep.namespaces, name)
	return f.open()
}
