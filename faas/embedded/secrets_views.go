package embedded

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

// secretViews are those of all deployments. What is in them is there as long as
// they are open.
type secretViews struct {
	store secretStore
	dir   string // holds a folder for each

	mu    sync.Mutex // guards what follows
	views map[*secretView]struct{}
	// elsewhere holds the folders of those whose user cannot reach dir; empty:
	// there are none yet.
	elsewhere string
}

func newSecretViews(dir string, store secretStore) *secretViews {
	return &secretViews{store: store, dir: dir, views: make(map[*secretView]struct{})}
}

// reminder is a file beside dir that names elsewhere for the next run.
func (s *secretViews) reminder() string { return s.dir + ".elsewhere" }

// start removes what an earlier run left.
func (s *secretViews) start() error {
	if left, err := os.ReadFile(s.reminder()); err == nil {
		_ = os.RemoveAll(string(left))
		_ = os.Remove(s.reminder())
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("remove functions' secrets of an earlier run: %w", err)
	}
	return os.MkdirAll(s.dir, 0o711)
}

// end removes the folders; all views are closed.
func (s *secretViews) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := os.RemoveAll(s.dir)
	if s.elsewhere != "" {
		err = errors.Join(err, os.RemoveAll(s.elsewhere), os.Remove(s.reminder()))
	}
	return err
}

// open makes the view of a function for processes that run as a user, nil if it
// names no secret.
func (s *secretViews) open(f *faas.Function, as *child.User) (*secretView, error) {
	if len(f.Secrets) == 0 {
		return nil, nil
	}
	v, err := openView(s.dir, s.store, f, as)
	if err != nil {
		return nil, fmt.Errorf("give secrets to function: %w", err)
	}
	if why := v.mount(); why == nil {
		v.note = "its secrets are files in " + secretsPath
	} else if v, err = s.besides(v, f); err != nil {
		return nil, fmt.Errorf("give secrets to function: %w", err)
	} else {
		v.note = fmt.Sprintf("its secrets are files in %s, which %s names, not in %s: %v", v.dir, secretsVariable, secretsPath, why)
	}
	return s.know(v), nil
}

// openHere makes the view of a function that runs in this process.
func (s *secretViews) openHere(f *faas.Function) (*secretView, error) {
	if len(f.Secrets) == 0 {
		return nil, nil
	}
	v, err := openView(s.dir, s.store, f, nil)
	if err != nil {
		return nil, fmt.Errorf("give secrets to function: %w", err)
	}
	return s.know(v), nil
}

func (s *secretViews) know(v *secretView) *secretView {
	v.forget = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.views, v)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.views[v] = struct{}{}
	return v
}

// besides returns v, or one in its place where its user can reach it.
func (s *secretViews) besides(v *secretView, f *faas.Function) (*secretView, error) {
	if v.reachable() {
		return v, nil
	}
	v.close()
	base, err := s.openElsewhere()
	if err != nil {
		return nil, err
	}
	if v, err = openView(base, s.store, f, v.as); err != nil || v.reachable() {
		return v, err
	}
	v.close()
	return nil, fmt.Errorf("user %d can reach neither %s nor %s", v.as.UID, s.dir, base)
}

// openElsewhere makes a folder that everybody can pass through.
func (s *secretViews) openElsewhere() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.elsewhere != "" {
		return s.elsewhere, nil
	}
	dir, err := os.MkdirTemp("", "p2pfaas-secrets-*")
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.Chmod(dir, 0o711), os.WriteFile(s.reminder(), []byte(dir), 0o600)); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	s.elsewhere = dir
	return dir, nil
}

// update shows the new value to all that read the secret.
func (s *secretViews) update(secret faas.Secret) error {
	var errs []error
	for _, v := range s.reading(secret.Namespace, secret.Name) {
		errs = append(errs, v.put(secret.Name, secret.Value))
	}
	return errors.Join(errs...)
}

func (s *secretViews) reading(namespace, name string) []*secretView {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*secretView
	for v := range s.views {
		if v.namespace == namespace && slices.Contains(v.names, name) {
			all = append(all, v)
		}
	}
	return all
}
