package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/child"
)

const (
	// secretsPath is where OpenFaaS functions look for their secrets.
	secretsPath = "/var/openfaas/secrets"
	// secretsVariable names the folder of secrets, wherever it is.
	secretsVariable = "secret_mount_path"
)

// secretView is the folder of one deployment with the secrets that it may read.
type secretView struct {
	namespace string
	names     []string
	as        *child.User   // who reads it, nil: this user
	mounts    *child.Mounts // in which it is at secretsPath; nil: it is where dir says
	note      string        // which way it is, for people
	forget    func()        // nil: nobody knows it yet

	mu  sync.Mutex // guards the folder: it is not written while it is removed
	dir string     // empty: removed
}

// openView makes a folder in base with those secrets of f, which must be there.
func openView(base string, store secretStore, f *faas.Function, as *child.User) (*secretView, error) {
	v := &secretView{namespace: f.Name.Namespace, names: f.Secrets, as: as}
	dir, err := os.MkdirTemp(base, f.Name.Namespace+"-"+f.Name.Function+"-*")
	if err != nil {
		return nil, err
	}
	v.dir = dir
	if as != nil {
		err = errors.Join(os.Chown(dir, -1, as.GID), os.Chmod(dir, 0o750))
	}
	for _, name := range v.names {
		var value []byte
		if err == nil {
			value, err = store.read(v.namespace, name)
		}
		if err == nil {
			err = v.put(name, value)
		}
	}
	if err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// put writes a file that the function can read and, unless it is this user,
// cannot write.
func (v *secretView) put(name string, value []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.dir == "" {
		return nil
	}
	return replaceThrough(filepath.Dir(v.dir), filepath.Join(v.dir, name), value, v.own)
}

func (v *secretView) own(f *os.File) error {
	if v.as == nil {
		return f.Chmod(0o400)
	}
	return errors.Join(f.Chown(-1, v.as.GID), f.Chmod(0o440))
}

// mount shows the folder to the function at secretsPath.
func (v *secretView) mount() error {
	m, err := child.NewMounts(v.dir, secretsPath)
	if err == nil && v.as != nil {
		err = v.as.Reachable(filepath.Dir(secretsPath))
	}
	if err != nil {
		m.Close()
		return err
	}
	v.mounts = m
	return nil
}

// reachable tells whether the function can read the folder where it is.
func (v *secretView) reachable() bool { return v.as == nil || v.as.Reachable(v.dir) == nil }

// path is where the function finds the folder.
func (v *secretView) path() string {
	if v.mounts != nil {
		return secretsPath
	}
	return v.dir
}

// mounted is for processes of the function; nil where there is no view.
func (v *secretView) mounted() *child.Mounts {
	if v == nil {
		return nil
	}
	return v.mounts
}

// says is for people, empty where there is no view.
func (v *secretView) says() string {
	if v == nil {
		return ""
	}
	return v.note
}

// environ adds the variable that names the folder, if there is one and unless
// the deployment sets it.
func (v *secretView) environ(env []string, set map[string]string) []string {
	if _, own := set[secretsVariable]; own || v == nil {
		return env
	}
	return append(env, secretsVariable+"="+v.path())
}

// close removes the folder. It does nothing for nil.
func (v *secretView) close() {
	if v == nil {
		return
	}
	v.mounts.Close()
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := os.RemoveAll(v.dir); err != nil {
		log.Warnw("remove a function's secrets", "error", err)
	}
	v.dir = ""
	if v.forget != nil {
		v.forget()
	}
}
