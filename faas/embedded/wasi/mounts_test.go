package wasi_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi"
	"github.com/p2pfaas/p2pfaas/faas/embedded/wasi/wasitest"
	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// explorer does with files what its input's lines say, and tells how it went.
const explorer = `package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		verb, path := in.Text()[:1], in.Text()[2:]
		fmt.Println(verb, path, do(verb, path))
	}
}

func do(verb, path string) string {
	switch verb {
	case "r":
		text, err := os.ReadFile(path)
		return tell(string(text), err)
	case "w":
		return tell("written", os.WriteFile(path, []byte("x"), 0o644))
	case "d":
		return tell("removed", os.Remove(path))
	case "m":
		return tell("made", os.Mkdir(path, 0o755))
	case "l":
		entries, err := os.ReadDir(path)
		names := ""
		for _, e := range entries {
			names += e.Name() + " "
		}
		return tell(names, err)
	case "k":
		to, err := os.Readlink(path)
		return tell(to, err)
	case "i":
		info, err := os.Lstat(path)
		if err != nil {
			return tell("", err)
		}
		return info.Mode().String()[:1]
	case "s":
		d, err := time.ParseDuration(path)
		time.Sleep(d)
		return tell("slept", err)
	case "t":
		return fmt.Sprint(time.Now().Unix())
	case "o":
		var open []*os.File
		for {
			f, err := os.Open(path)
			if err != nil {
				return fmt.Sprint(len(open), " open")
			}
			open = append(open, f)
		}
	}
	return "?"
}

func tell(text string, err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "absent"
	}
	if err != nil {
		return "refused"
	}
	return text
}
`

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	granted, secrets := filepath.Join(dir, "granted"), filepath.Join(dir, "secrets")
	for path, text := range map[string]string{
		"granted/a.txt": "alpha", "granted/sub/b.txt": "beta", "secrets/key": "s3cret", "outside.txt": "outside",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"out": "../outside.txt", "root": "/etc/passwd", "in": "sub/b.txt"} {
		if err := os.Symlink(to, filepath.Join(granted, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(granted, "pipe"), 0o666); err != nil {
		t.Fatal(err)
	}
	module := readFile(t, wasitest.Build(t, explorer))
	engine := wasi.NewEngine(filepath.Join(dir, "cache"))
	open := newBed(t, module, wasi.Config{Engine: engine, Mounts: []wasi.Mount{
		{Host: granted, Guest: "/data"}, {Host: secrets, Guest: "/var/openfaas/secrets"},
	}})
	explore(open, []string{
		"r /data/a.txt alpha", "r /data/sub/b.txt beta", "r /data/in beta", "r /var/openfaas/secrets/key s3cret",
		"l /data a.txt in out pipe root sub ", "k /data/out ../outside.txt", "k /data/a.txt refused", "i /data/pipe -", "i /data/sub d", "i /data/out L", "r /data/absent absent",
		"r /data/out refused", "r /data/root refused", "r /data/../outside.txt refused", "r /data/pipe refused",
		"r /etc/passwd refused", "r outside.txt absent",
		"w /data/a.txt refused", "w /data/new refused", "d /data/a.txt refused", "m /data/dir refused", "w /var/openfaas/secrets/key refused",
		"s 1ms slept", "o /data/a.txt 254 open",
	})
	if text := readFile(t, filepath.Join(granted, "a.txt")); string(text) != "alpha" {
		t.Errorf("a file that can only be read holds %q", text)
	}
	explore(open, []string{"r /data/a.txt alpha"}) // what was open is closed
	shut := newBed(t, module, wasi.Config{Engine: engine})
	clock(t, module, engine)
	closes(t, module, engine, granted)
	explore(shut, []string{"r /data/a.txt refused", "r /etc/passwd refused", "l / refused", "w /x refused", "w x refused"})
}

// explore sends the commands, and wants the answers, that its lines are made of.
func explore(b *bed, lines []string) {
	b.Helper()
	var commands []string
	for _, line := range lines {
		commands = append(commands, strings.Join(strings.SplitN(line, " ", 3)[:2], " "))
	}
	_, got, err := b.post(strings.Join(commands, "\n"))
	if diff := cmp.Diff(lines, strings.Split(strings.TrimSuffix(got, "\n"), "\n")); diff != "" || err != nil {
		b.Errorf("(-want +got):\n%s%v\n%s", diff, err, b.log())
	}
}

func TestMountThatIsAbsent(t *testing.T) {
	_, err := wasi.NewRunner(wasi.Config{Mounts: []wasi.Mount{{Host: t.TempDir(), Guest: "/a"}, {Host: "/no/such/folder", Guest: "/b"}}})
	if err == nil || !strings.Contains(err.Error(), "/no/such/folder") {
		t.Errorf("error %v", err)
	}
}

// clock: a module has the right time, and one that sleeps is woken by its
// deadline.
func clock(t *testing.T, module []byte, engine *wasi.Engine) {
	cfg := with(watchdog.Settings{ExecTimeout: time.Second, ContentType: "text/event-stream"})
	cfg.Engine = engine
	b := newBed(t, module, cfg)
	begun := time.Now()
	resp, body, err := b.post("t now\ns 1h\n")
	if resp == nil || err == nil || resp.Trailer().Get(watchdog.ExitTrailer) != "exec_timeout passed" {
		t.Errorf("%v, %v", resp, err)
	}
	var at int64
	if _, err := fmt.Sscanf(body, "t now %d", &at); err != nil || at < begun.Unix()-1 || at > time.Now().Unix()+1 {
		t.Errorf("the module's clock says %q", body)
	}
}

// closes: files are closed also if a call is ended while it runs.
func closes(t *testing.T, module []byte, engine *wasi.Engine, granted string) {
	cfg := with(watchdog.Settings{ContentType: "text/event-stream"})
	cfg.Engine, cfg.Mounts = engine, []wasi.Mount{{Host: granted, Guest: "/data"}}
	b := newBed(t, module, cfg)
	const body = "r /data/a.txt\ns 1h\n"
	for range 20 { // wazero leaves some open, and some not
		resp, err := b.runner.Invoke(t.Context(), &faas.Request{Method: "POST", Body: strings.NewReader(body), Size: int64(len(body))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	explore(b, []string{"o /data/a.txt 255 open"})
}
