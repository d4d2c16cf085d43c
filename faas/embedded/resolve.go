package embedded

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/builtin"
)

// kind is how a function is run.
type kind uint8

const (
	kindForked  kind = iota // a process per request
	kindKept                // processes that serve HTTP
	kindRunning             // something that serves HTTP already
	kindModule              // a WebAssembly module, an instance per request
)

// target is what an image stands for.
type target struct {
	kind   kind
	path   string   // of the program, or of the module
	args   []string // the first is the name the program is called by
	addr   string   // of kindRunning
	digest string   // of a module that is stored; then there is no path
}

// resolve finds what f's image stands for: an alias, else by its prefix, else
// EnvProcess. An image that is a module is the stored one if its digest is given,
// whatever has become of the file.
func (c *Config) resolve(f *faas.Function, stored string) (target, error) {
	image := f.Image
	if to, ok := c.Aliases[image]; ok {
		image = to
	}
	scheme, rest, found := strings.Cut(image, ":")
	if !found {
		scheme = ""
	}
	switch scheme {
	case "builtin":
		return c.builtin(rest)
	case "exec":
		return c.command(kindForked, rest)
	case "serve":
		return c.command(kindKept, rest)
	case "http":
		return running(image)
	case "wasm":
		if stored != "" {
			return target{kind: kindModule, digest: stored}, nil
		}
		return c.module(rest)
	}
	if f.EnvProcess != "" {
		return c.command(kindForked, f.EnvProcess)
	}
	return target{}, fmt.Errorf("image %q: %w: this node runs no container images; map it with --image-alias %s=TARGET, "+
		"TARGET being builtin:NAME, exec:PATH, serve:PATH, wasm:PATH or http://HOST:PORT, or set envProcess", f.Image, faas.ErrInvalid, f.Image)
}

func (c *Config) builtin(name string) (target, error) {
	if !slices.Contains(builtin.Names(), name) {
		return target{}, fmt.Errorf("image %q: %w: the builtin functions are %s", "builtin:"+name, faas.ErrInvalid, strings.Join(builtin.Names(), ", "))
	}
	args := append([]string{c.Exe}, c.BuiltinArgs...)
	return target{kind: kindKept, path: c.Exe, args: append(args, name)}, nil
}

func running(image string) (target, error) {
	u, err := url.Parse(image)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return target{}, fmt.Errorf("image %q: %w: want http://HOST:PORT", image, faas.ErrInvalid)
	}
	addr := u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), "80")
	}
	return target{kind: kindRunning, addr: addr}, nil
}

// module finds the file of a module, or takes its digest.
func (c *Config) module(name string) (target, error) {
	if strings.HasPrefix(name, "sha256:") {
		digest, err := parseDigest(name)
		return target{kind: kindModule, digest: digest}, err
	}
	path, err := c.lookup(name, regular)
	return target{kind: kindModule, path: path}, err
}

// command finds the program of a command line.
func (c *Config) command(k kind, line string) (target, error) {
	args := strings.Fields(line)
	if len(args) == 0 {
		return target{}, fmt.Errorf("command %q: %w: no program named", line, faas.ErrInvalid)
	}
	path, err := c.lookup(args[0], executable)
	if err != nil {
		return target{}, err
	}
	return target{kind: k, path: path, args: args}, nil
}

// lookup returns the file behind all symbolic links of program, which must lie
// below a folder of ExecPath and be suitable.
func (c *Config) lookup(program string, suitable func(string) error) (string, error) {
	found, err := c.find(program, suitable)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(found)
	if err != nil {
		return "", fmt.Errorf("program %q: %w: %w", program, faas.ErrInvalid, err)
	}
	if !slices.ContainsFunc(c.ExecPath, func(dir string) bool { return below(dir, real) }) {
		return "", fmt.Errorf("program %q: %w: %s is not below a folder that programs may come from (%s); allow its folder with --exec-path",
			program, faas.ErrInvalid, real, strings.Join(c.ExecPath, ", "))
	}
	return real, suitable(real)
}

func (c *Config) find(program string, suitable func(string) error) (string, error) {
	if filepath.IsAbs(program) {
		return program, nil
	}
	if strings.ContainsRune(program, filepath.Separator) {
		return "", fmt.Errorf("program %q: %w: give the absolute path, or a name in a folder of --exec-path", program, faas.ErrInvalid)
	}
	for _, dir := range c.ExecPath {
		path := filepath.Join(dir, program)
		if suitable(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("program %q: %w: not in any of the folders %s; add its folder with --exec-path", program, faas.ErrInvalid, strings.Join(c.ExecPath, ", "))
}

// below compares real paths: /bin is itself a link on many systems.
func below(dir, path string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(real, path)
	return err == nil && rel != "." && filepath.IsLocal(rel)
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("program: %w: %w", faas.ErrInvalid, err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("program %s: %w: not an executable file", path, faas.ErrInvalid)
	}
	return nil
}

func regular(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("module: %w: %w", faas.ErrInvalid, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("module %s: %w: not a regular file", path, faas.ErrInvalid)
	}
	return nil
}
