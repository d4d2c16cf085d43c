package embedded_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

func (b *bed) secret(name, value string) {
	b.Helper()
	if err := b.rt.CreateSecret(b.Context(), keptSecret(name, value)); err != nil {
		b.Fatal(err)
	}
}

func (b *bed) changeSecret(name, value string) {
	b.Helper()
	if err := b.rt.UpdateSecret(b.Context(), keptSecret(name, value)); err != nil {
		b.Fatal(err)
	}
}

func keptSecret(name, value string) faas.Secret {
	return faas.Secret{Name: name, Namespace: faas.DefaultNamespace, Value: []byte(value)}
}

// showSecrets prints where the folder is, what is in it, and one of them.
const showSecrets = `echo "$secret_mount_path"; ls -A "$secret_mount_path"; cat "$secret_mount_path/key"`

func TestSecretsAreStored(t *testing.T) {
	b := newBed(t)
	b.secret("key", "value")
	folder := filepath.Join(b.dir, "secrets", faas.DefaultNamespace)
	for path, want := range map[string]fs.FileMode{
		filepath.Dir(folder): fs.ModeDir | 0o700, folder: fs.ModeDir | 0o700, filepath.Join(folder, "key"): 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want mode %v", path, info.Mode(), err, want)
		}
	}
	left := filepath.Join(b.dir, "secrets", "new-123")
	if err := errors.Join(b.rt.Close(), os.WriteFile(left, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	b.rt = start(t, testConfig(b.dir))
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a crash left is still there: %v", err)
	}
	if list, err := b.rt.Secrets(t.Context(), ""); len(list) != 1 || list[0].Name != "key" || err != nil {
		t.Errorf("after a restart: %v, %v", list, err)
	}
}

// TestSecretIsRead by what is forked and by what is kept, also once it has
// changed, and after a restart of the node.
func TestSecretIsRead(t *testing.T) {
	b := newBed(t)
	b.secret("key", "one")
	b.secret("second", "x")
	b.secret("other", "not for it")
	forked := faas.Function{Name: named("forked"), Image: "exec:" + b.script("show", showSecrets), Secrets: []string{"key", "second"}}
	b.deploy(forked)
	b.reads("forked", "key\nsecond\none")
	b.changeSecret("key", "two")
	b.reads("forked", "key\nsecond\ntwo")
	forked.Secrets = []string{"key"}
	b.deploy(forked)
	b.reads("forked", "key\ntwo")

	out := filepath.Join(b.dir, "out")
	if err := errors.Join(os.WriteFile(out, nil, 0o666), os.Chmod(out, 0o666)); err != nil {
		t.Fatal(err)
	}
	b.deploy(faas.Function{Name: named("kept"), Secrets: []string{"key"},
		Image: "serve:" + b.script("loop", `while sleep 0.02; do cat "$secret_mount_path/key" > `+out+`; done`)})
	for _, value := range []string{"two", "three"} {
		b.changeSecret("key", value)
		until(t, "the process that runs sees "+value, func() bool { return slices.Equal(lines(out), []string{value}) })
	}

	if err := b.rt.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(b.dir, "run", "secrets*")); len(left) > 0 {
		t.Errorf("values are left in %v", left)
	}
	b.rt = start(t, testConfig(b.dir))
	b.reads("forked", "key\nthree")
}

// reads calls a function that shows its secrets.
func (b *bed) reads(name, want string) {
	b.Helper()
	where, got, _ := strings.Cut(b.mustGet(name), "\n")
	if got != want {
		b.Errorf("in %s it reads %q, want %q", where, got, want)
	}
	if note := b.status(name).Note; !strings.Contains(note, where) || !strings.Contains(note, "secrets") {
		b.Errorf("the note %q does not say that secrets are in %s", note, where)
	}
}

// TestSecretsAreMounted where OpenFaaS functions look for them, for the function
// alone, and read-only.
func TestSecretsAreMounted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a function's secrets")
	}
	b := newBed(t)
	if err := errors.Join(os.Chmod(b.dir, 0o755), os.Chmod(filepath.Dir(b.dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	b.secret("key", "mine")
	b.secret("another", "theirs")
	b.deploy(faas.Function{Name: named("mounted"), Secrets: []string{"key"}, Image: "exec:" + b.script("mounted",
		`cd /var/openfaas/secrets && id -u && ls -A && cat key && echo && (echo x > key; touch y; rm -f key) 2>/dev/null; ls -A; grep -c openfaas /proc/self/mounts`)})
	if got := b.mustGet("mounted"); got != "65534\nkey\nmine\nkey\n1\n" {
		t.Errorf("the function sees %q, its note says %q", got, b.status("mounted").Note)
	}
	b.deploy(faas.Function{Name: named("neighbour"), Image: "exec:" + b.script("neighbour", "ls -A /var/openfaas/secrets; grep -c openfaas /proc/self/mounts; true")})
	if got := b.mustGet("neighbour"); got != "0\n" {
		t.Errorf("a function without secrets sees %q", got)
	}
	b.deploy(faas.Function{Name: named("second"), Secrets: []string{"another"}, Image: "exec:" + b.script("second", "cd /var/openfaas/secrets; ls -A; cat another")})
	for range 3 { // in turns, from one thread
		if got := b.mustGet("second"); got != "another\ntheirs" {
			t.Errorf("the second function sees %q", got)
		}
		if got := b.mustGet("neighbour"); got != "0\n" {
			t.Errorf("a function without secrets sees %q", got)
		}
	}
	if mounts, err := os.ReadFile("/proc/self/mounts"); err != nil || strings.Contains(string(mounts), "/var/openfaas") {
		t.Errorf("the node sees a function's mount: %v", err)
	}
}

// TestAsOrdinaryUser repeats what differs when the node is not root.
func TestAsOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user; the tests themselves have run as an ordinary one")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "test")
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(program, self, 0o755), os.Chown(dir, 65534, 65534), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run", "^(TestSecretIsRead|TestSecretInUse|TestForkedLog|TestKeeps)$", "-test.v")
	cmd.Env, cmd.Dir = []string{"PATH=/bin:/usr/bin", "TMPDIR=" + dir}, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "\n--- PASS") != 4 {
		t.Errorf("error %v, output:\n%s", err, out)
	}
}

func TestSecretIsMissed(t *testing.T) {
	b := newBed(t)
	for _, image := range []string{"exec:/bin/cat", "builtin:echo", "http://127.0.0.1:1"} {
		f := faas.Function{Name: named("f"), Image: image, Secrets: []string{"absent"}}
		err := b.rt.Deploy(t.Context(), f)
		if !errors.Is(err, faas.ErrInvalid) || !strings.Contains(err.Error(), "secret create absent") {
			t.Errorf("%s: error %v", image, err)
		}
		f.Secrets = []string{"../functions"}
		if err := b.rt.Deploy(t.Context(), f); !errors.Is(err, faas.ErrInvalid) {
			t.Errorf("%s: error %v", image, err)
		}
	}
}

// TestSecretInUse cannot be deleted, and can once nobody names it.
func TestSecretInUse(t *testing.T) {
	b := newBed(t)
	b.secret("key", "v")
	for _, name := range []string{"b", "a"} {
		b.deploy(faas.Function{Name: named(name), Image: "exec:/bin/cat", Secrets: []string{"key"}})
	}
	err := b.rt.DeleteSecret(t.Context(), faas.DefaultNamespace, "key")
	if !errors.Is(err, faas.ErrInvalid) || !strings.Contains(err.Error(), "named by a, b") {
		t.Errorf("error %v", err)
	}
	b.deploy(faas.Function{Name: named("a"), Image: "exec:/bin/cat"})
	if err := errors.Join(b.rt.Remove(t.Context(), named("b")), b.rt.DeleteSecret(t.Context(), faas.DefaultNamespace, "key")); err != nil {
		t.Error(err)
	}
}

// TestSecretOfOneElsewhere: http:// functions are told that they get none.
func TestSecretOfOneElsewhere(t *testing.T) {
	b := newBed(t)
	b.secret("key", "v")
	b.deploy(faas.Function{Name: named("f"), Image: "http://127.0.0.1:1", Secrets: []string{"key"}})
	if note := b.status("f").Note; !strings.Contains(note, "not given") {
		t.Errorf("note %q", note)
	}
}

// TestSecretsWhileDeploying: neither a change of the secret nor one of the
// function makes the other fail.
func TestSecretsWhileDeploying(t *testing.T) {
	b := newBed(t)
	b.secret("key", "0")
	f := faas.Function{Name: named("f"), Image: "exec:" + b.script("show", `cat "$secret_mount_path/key"`), Secrets: []string{"key"}}
	b.deploy(f)
	done := make(chan error, 1)
	go func() {
		var errs []error
		for range 30 {
			errs = append(errs, b.rt.UpdateSecret(t.Context(), keptSecret("key", "1")))
		}
		done <- errors.Join(errs...)
	}()
	for deadline := time.Now().Add(time.Minute); ; {
		b.deploy(f)
		if got := b.mustGet("f"); got != "0" && got != "1" {
			t.Fatalf("the function reads %q", got)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			if time.Now().After(deadline) {
				t.Fatal("it takes too long")
			}
		}
	}
}
