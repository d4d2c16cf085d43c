package faastest

import (
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/p2pfaas/p2pfaas/faas"
)

func (s *suite) namespaceKeeper() faas.NamespaceKeeper {
	s.Helper()
	k, ok := s.rt.(faas.NamespaceKeeper)
	if !ok {
		s.Fatal("it keeps no namespaces")
	}
	return k
}

func (s *suite) namespaces() {
	k := s.namespaceKeeper()
	ctx := s.Context()
	s.listsNamespaces(faas.DefaultNamespace)
	n := faas.Namespace{Name: "edge", Labels: map[string]string{"team": "a"}, Annotations: map[string]string{"note": "b c"}}
	s.check(k.CreateNamespace(ctx, n))
	s.wants(k.CreateNamespace(ctx, n), faas.ErrExists)
	s.wants(k.CreateNamespace(ctx, faas.Namespace{Name: faas.DefaultNamespace}), faas.ErrExists)
	s.wants(k.CreateNamespace(ctx, faas.Namespace{Name: "../edge"}), faas.ErrInvalid)
	s.wants(k.CreateNamespace(ctx, faas.Namespace{Name: "Edge"}), faas.ErrInvalid)
	s.isNamespace(n)
	s.listsNamespaces("edge", faas.DefaultNamespace)
	n.Labels, n.Annotations = map[string]string{"team": "b"}, nil
	s.check(k.UpdateNamespace(ctx, n))
	s.isNamespace(n)
	s.wants(k.UpdateNamespace(ctx, faas.Namespace{Name: "absent"}), faas.ErrNotFound)
	_, err := k.Namespace(ctx, "absent")
	s.wants(err, faas.ErrNotFound)
	s.check(k.DeleteNamespace(ctx, "edge"))
	s.wants(k.DeleteNamespace(ctx, "edge"), faas.ErrNotFound)
	s.wants(k.DeleteNamespace(ctx, faas.DefaultNamespace), faas.ErrInvalid)
	s.listsNamespaces(faas.DefaultNamespace)
}

func (s *suite) isNamespace(want faas.Namespace) {
	s.Helper()
	got, err := s.namespaceKeeper().Namespace(s.Context(), want.Name)
	s.check(err)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		s.Errorf("namespace (-want +got):\n%s", diff)
	}
}

func (s *suite) listsNamespaces(want ...string) {
	s.Helper()
	list, err := s.namespaceKeeper().Namespaces(s.Context())
	s.check(err)
	got := []string{}
	for _, n := range list {
		got = append(got, n.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("namespaces (-want +got):\n%s", diff)
	}
}

// populatedNamespaces keep functions of the same name apart, and stay.
func (s *suite) populatedNamespaces() {
	k := s.namespaceKeeper()
	ctx := s.Context()
	s.check(k.CreateNamespace(ctx, faas.Namespace{Name: "edge"}))
	there := s.full("twin")
	there.Name.Namespace = "edge"
	s.check(s.rt.Deploy(ctx, there))
	s.check(s.rt.Deploy(ctx, s.full("twin")))
	s.listed("", "twin", "twin")
	s.listed("edge", "twin")
	s.wants(k.DeleteNamespace(ctx, "edge"), faas.ErrInvalid)
	s.check(s.rt.Remove(ctx, there.Name))
	s.listed("", "twin")
	if got := s.finish(s.invoke(post(named("twin"), []byte("x")))); string(got) != "x" {
		s.Errorf("the twin that stayed answered %q", got)
	}
	secrets := s.secretKeeper()
	s.check(secrets.CreateSecret(ctx, faas.Secret{Name: "key", Namespace: "edge"}))
	s.wants(k.DeleteNamespace(ctx, "edge"), faas.ErrInvalid)
	s.check(secrets.DeleteSecret(ctx, "edge", "key"))
	s.check(k.DeleteNamespace(ctx, "edge"))
}
