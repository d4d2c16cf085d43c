package faastest

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

func (s *suite) full(name string) faas.Function {
	return faas.Function{
		Name: named(name), Image: s.images.Echo,
		EnvVars:     map[string]string{"colour": "blue"},
		Labels:      map[string]string{"team": "edge"},
		Annotations: map[string]string{faas.AnnotationIdempotent: "true"},
		Limits:      &faas.Resources{Memory: "64Mi", CPU: "100m"},
		Requests:    &faas.Resources{Memory: "32Mi"},
	}
}

func (s *suite) deployments() {
	ctx := s.Context()
	info, err := s.rt.Info(ctx)
	s.check(err)
	if info.Name == "" {
		s.Error("Info has no name")
	}
	list, err := s.rt.List(ctx, "")
	s.check(err)
	if list == nil || len(list) != 0 {
		s.Errorf("a new runtime lists %v, want an empty list that is not nil", list)
	}
	asked := s.full("b")
	s.check(s.rt.Deploy(ctx, asked))
	s.check(s.rt.Deploy(ctx, s.full("a")))
	asked.EnvVars["colour"] = "changed by its owner"
	st := s.status(named("b"))
	if diff := cmp.Diff(s.full("b"), st.Function); diff != "" {
		s.Errorf("deployment is not as asked for (-want +got):\n%s", diff)
	}
	if st.Replicas != 1 || time.Since(st.CreatedAt).Abs() > time.Hour {
		s.Errorf("new deployment: %d replicas, created at %v", st.Replicas, st.CreatedAt)
	}
	s.listed("", "a", "b")
	s.listed(faas.DefaultNamespace, "a", "b")
	s.listed("elsewhere")
	s.check(s.rt.Remove(ctx, named("a")))
	s.listed("", "b")
	s.wants(s.rt.Remove(ctx, named("a")), faas.ErrNotFound)
}

func (s *suite) listed(namespace string, want ...string) {
	s.Helper()
	list, err := s.rt.List(s.Context(), namespace)
	s.check(err)
	names := []string{}
	for _, st := range list {
		names = append(names, st.Name.Function)
	}
	if diff := cmp.Diff(append([]string{}, want...), names); diff != "" {
		s.Errorf("functions of namespace %q (-want +got):\n%s", namespace, diff)
	}
}

func (s *suite) replace() {
	n := s.deploy("changing", s.images.Echo)
	s.finish(s.invoke(post(n, []byte("one"))))
	f := s.full("changing")
	s.check(s.rt.Deploy(s.Context(), f))
	if diff := cmp.Diff(f, s.status(n).Function); diff != "" {
		s.Errorf("replaced deployment (-want +got):\n%s", diff)
	}
	if got := s.finish(s.invoke(post(n, []byte("two")))); string(got) != "two" {
		s.Errorf("replaced function answered %q", got)
	}
	s.listed("", "changing")
}

func (s *suite) scale() {
	n := s.deploy("scaled", s.images.Echo)
	s.until("2 replicas are available", func() bool {
		s.check(s.rt.Scale(s.Context(), n, 2))
		st := s.status(n)
		return st.Replicas == 2 && st.AvailableReplicas == 2
	})
	for range 8 {
		s.finish(s.invoke(post(n, []byte("x"))))
	}
	s.check(s.rt.Scale(s.Context(), n, 0))
	s.until("no replica is left", func() bool { return s.status(n).AvailableReplicas == 0 })
	if got := s.finish(s.invoke(post(n, []byte("woken")))); string(got) != "woken" {
		s.Errorf("a function scaled to zero answered %q", got)
	}
	if st := s.status(n); st.Replicas != 1 || st.Invocations != 9 {
		s.Errorf("after waking: %d replicas, %d invocations, want 1 and 9", st.Replicas, st.Invocations)
	}
	s.wants(s.rt.Scale(s.Context(), n, -1), faas.ErrInvalid)
}

func (s *suite) unknown() {
	n := named("nobody")
	_, err := s.rt.Get(s.Context(), n)
	s.wants(err, faas.ErrNotFound)
	s.wants(s.rt.Remove(s.Context(), n), faas.ErrNotFound)
	s.wants(s.rt.Scale(s.Context(), n, 1), faas.ErrNotFound)
	_, err = s.rt.Invoke(s.Context(), get(n, "", ""))
	s.wants(err, faas.ErrNotFound)
	s.wants(err, faas.ErrNotStarted)
}

func (s *suite) invalid() {
	bad := faas.Function{Name: faas.Name{Function: "No Name", Namespace: "x"}, Image: s.images.Echo}
	s.wants(s.rt.Deploy(s.Context(), bad), faas.ErrInvalid)
	n := s.deploy("strict", s.images.Echo)
	for _, f := range []faas.Field{{Name: "X-A", Value: "a\r\nX-B: b"}, {Name: "X A", Value: "a"}, {Name: "", Value: "a"}} {
		r := get(n, "", "")
		r.Header = faas.Header{f}
		_, err := s.rt.Invoke(s.Context(), r)
		s.wants(err, faas.ErrInvalid)
		s.wants(err, faas.ErrNotStarted)
	}
}

// removeWaits: who is being answered is not cut off by a removal.
func (s *suite) removeWaits() {
	n := s.deploy("leaving", s.images.Sleep)
	s.finish(s.invoke(get(n, "", "d=1ms")))
	answered := make(chan error, 1)
	go func() {
		resp, err := s.rt.Invoke(context.WithoutCancel(s.Context()), get(n, "", "d=300ms"))
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		answered <- err
	}()
	s.until("the call runs", func() bool { return s.counters(n).InFlight == 1 })
	s.check(s.rt.Remove(s.Context(), n))
	if err := <-answered; err != nil {
		s.Errorf("call under way while its function was removed: %v", err)
	}
	_, err := s.rt.Invoke(s.Context(), get(n, "", ""))
	s.wants(err, faas.ErrNotFound)
}

func (s *suite) closed() {
	n := s.deploy("gone", s.images.Echo)
	s.check(s.rt.Close())
	s.check(s.rt.Close())
	_, err := s.rt.Info(s.Context())
	s.wants(err, faas.ErrUnavailable)
	_, err = s.rt.Invoke(s.Context(), post(n, bytes.Repeat([]byte("x"), 10)))
	s.wants(err, faas.ErrUnavailable)
	s.wants(err, faas.ErrNotStarted)
}
