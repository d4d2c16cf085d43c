package faastest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Keep tests a Runtime that offers [faas.SecretKeeper], [faas.NamespaceKeeper]
// and, if there is an image that says something, [faas.Logger]. The rest is as in Run.
func Keep(t *testing.T, newRuntime func(t *testing.T) faas.Runtime, images Images) {
	runAll(t, newRuntime, images, []row{
		{"secrets", (*suite).secrets, true},
		{"secret names", (*suite).secretNames, true},
		{"secrets of functions", (*suite).secretsOfFunctions, true},
		{"namespaces", (*suite).namespaces, true},
		{"populated namespaces", (*suite).populatedNamespaces, true},
		{"logs", (*suite).logs, images.Say != ""},
		{"log of nobody", (*suite).logOfNobody, true},
		{"followed log", (*suite).followedLog, images.Say != ""},
	})
}

func (s *suite) secretKeeper() faas.SecretKeeper {
	s.Helper()
	k, ok := s.rt.(faas.SecretKeeper)
	if !ok {
		s.Fatal("it keeps no secrets")
	}
	return k
}

func secret(name, value string) faas.Secret {
	return faas.Secret{Name: name, Namespace: faas.DefaultNamespace, Value: []byte(value)}
}

func (s *suite) secrets() {
	k := s.secretKeeper()
	ctx := s.Context()
	list, err := k.Secrets(ctx, "")
	s.check(err)
	if list == nil || len(list) != 0 {
		s.Errorf("a new runtime lists secrets %v, want an empty list that is not nil", list)
	}
	value := []byte{0, 1, 0xff, '\n'}
	s.check(k.CreateSecret(ctx, faas.Secret{Name: "key", Namespace: faas.DefaultNamespace, Value: value}))
	s.wants(k.CreateSecret(ctx, secret("key", "again")), faas.ErrExists)
	s.check(k.CreateSecret(ctx, secret("a.pem", "")))
	other := faas.Secret{Name: "key", Namespace: "other", Value: []byte("apart")}
	s.kept("other")
	s.check(k.CreateSecret(ctx, other))
	s.listsSecrets("", "a.pem.openfaas-fn", "key.openfaas-fn", "key.other")
	s.listsSecrets("other", "key.other")
	s.listsSecrets("elsewhere")
	s.check(k.UpdateSecret(ctx, secret("key", "new")))
	s.wants(k.UpdateSecret(ctx, secret("absent", "new")), faas.ErrNotFound)
	s.check(k.DeleteSecret(ctx, faas.DefaultNamespace, "key"))
	s.wants(k.DeleteSecret(ctx, faas.DefaultNamespace, "key"), faas.ErrNotFound)
	s.listsSecrets("", "a.pem.openfaas-fn", "key.other")
}

// kept makes sure that a namespace is there, where it must be.
func (s *suite) kept(name string) {
	s.Helper()
	if k, ok := s.rt.(faas.NamespaceKeeper); ok {
		s.check(k.CreateNamespace(s.Context(), faas.Namespace{Name: name}))
	}
}

func (s *suite) listsSecrets(namespace string, want ...string) {
	s.Helper()
	list, err := s.secretKeeper().Secrets(s.Context(), namespace)
	s.check(err)
	got := []string{}
	for _, one := range list {
		got = append(got, one.Name+"."+one.Namespace)
		if len(one.Value) > 0 {
			s.Errorf("the list tells the value of %s", one.Name)
		}
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		s.Errorf("secrets of namespace %q (-want +got):\n%s", namespace, diff)
	}
}

// secretNames that would lead to another file are refused.
func (s *suite) secretNames() {
	k := s.secretKeeper()
	ctx := s.Context()
	for _, name := range []string{"", ".", "..", "a/b", "../a", "a..b", "/etc/passwd", "A", "a b", "a\x00", "a\n", strings.Repeat("a", 254)} {
		s.wants(k.CreateSecret(ctx, secret(name, "v")), faas.ErrInvalid)
		s.wants(k.UpdateSecret(ctx, secret(name, "v")), faas.ErrInvalid)
		s.wants(k.DeleteSecret(ctx, faas.DefaultNamespace, name), faas.ErrInvalid)
	}
	for _, namespace := range []string{"..", "a/b", "A"} {
		s.wants(k.CreateSecret(ctx, faas.Secret{Name: "a", Namespace: namespace}), faas.ErrInvalid)
	}
	big := faas.Secret{Name: "big", Namespace: faas.DefaultNamespace, Value: bytes.Repeat([]byte("x"), faas.MaxSecret+1)}
	s.wants(k.CreateSecret(ctx, big), faas.ErrInvalid)
	s.check(k.CreateSecret(ctx, secret(strings.Repeat("a", 253), "v")))
}

func (s *suite) secretsOfFunctions() {
	k := s.secretKeeper()
	ctx := s.Context()
	f := s.full("reader")
	f.Secrets = []string{"key"}
	err := s.rt.Deploy(ctx, f)
	s.wants(err, faas.ErrInvalid)
	if err != nil && !strings.Contains(err.Error(), "key") {
		s.Errorf("error %v does not name the secret", err)
	}
	s.listed("")
	s.check(k.CreateSecret(ctx, secret("key", "v")))
	s.check(s.rt.Deploy(ctx, f))
	if got := s.status(f.Name).Secrets; !slices.Equal(got, f.Secrets) {
		s.Errorf("secrets %v, want %v", got, f.Secrets)
	}
	if got := s.finish(s.invoke(post(f.Name, []byte("x")))); string(got) != "x" {
		s.Errorf("a function with a secret answered %q", got)
	}
	s.check(s.rt.Remove(ctx, f.Name))
	s.check(k.DeleteSecret(ctx, faas.DefaultNamespace, "key"))
}
