package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/embedded/fork"
)

func TestForkedEnvironment(t *testing.T) {
	b := newBed(t)
	path := b.script("show", "env | sort; echo; cat")
	b.deploy(faas.Function{Name: named("show"), Image: "exec:" + path, EnvVars: map[string]string{"colour": "blue sky"}})
	resp, body, err := b.call(&faas.Request{
		Name: named("show"), Method: "POST", Path: "/a%20b/c", Query: "x=1&y", Host: "example.org", CallID: "id-1",
		Header: faas.Header{{Name: "content-type", Value: "text/x-odd"}, {Name: "X-Two", Value: "1"}, {Name: "X-Two", Value: "2"}, {Name: "Proxy", Value: "http://evil"}},
		Body:   strings.NewReader("the body"), Size: 8,
	})
	if err != nil || resp.Status != 200 {
		t.Fatalf("%v, %v", resp, err)
	}
	for _, want := range []string{
		"Http_Method=POST\n", "Http_Path=/a b/c\n", "Http_Query=x=1&y\n", "Http_Host=example.org\n", "Http_Content_Length=8\n", "Http_ContentLength=8\n",
		"Http_Content_Type=text/x-odd\n", "Http_X_Two=1\n", "Http_X_Call_Id=id-1\n", "colour=blue sky\n", "OPENFAAS_NAME=show\n", "\n\nthe body",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in:\n%s", want, body)
		}
	}
	if strings.Contains(body, "Http_Proxy") || strings.Contains(body, "GOCACHE") || strings.Contains(body, "USER=") {
		t.Errorf("there is too much in:\n%s", body)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/x-odd" {
		t.Errorf("content type %q", got)
	}
	if int(resp.Size) != len(body) {
		t.Errorf("size %d of %d bytes", resp.Size, len(body))
	}
}

func TestForkedEnds(t *testing.T) {
	const plain = "text/plain; charset=utf-8"
	tests := []struct {
		name, script string
		env          map[string]string
		status       int
		body         string
		contentType  string
		err          error
		trailer      string
	}{
		{name: "good", script: "echo fine", status: 200, body: "fine\n"},
		{name: "content type", script: "echo '{}'", env: map[string]string{"content_type": "application/json"}, status: 200, body: "{}\n", contentType: "application/json"},
		{name: "failure", script: "echo partly; exit 3", status: 500, body: "exit status 3\npartly\n", contentType: plain},
		{name: "signal", script: "kill -9 $$", status: 500, body: "signal: killed\n", contentType: plain},
		{name: "too slow", script: "echo begun; sleep 60", env: map[string]string{"exec_timeout": "200ms"}, status: 408, body: "Killed process.\n", contentType: plain},
		{name: "closes its output", script: "echo early; exec >&-; sleep 0.2; exit 4", status: 500, body: "exit status 4\nearly\n", contentType: plain},
		{name: "leaves a child", script: "sleep 300 & echo done", status: 200, body: "done\n"},
		{name: "late failure", script: "head -c 200000 /dev/zero | tr '\\0' x; exit 7", status: 200, body: strings.Repeat("x", 200_000), err: io.ErrUnexpectedEOF, trailer: "exit status 7"},
		{name: "late timeout", script: "head -c 100000 /dev/zero | tr '\\0' x; sleep 60", env: map[string]string{"exec_timeout": "1"}, status: 200,
			body: strings.Repeat("x", 100_000), err: io.ErrUnexpectedEOF, trailer: "exec_timeout passed"},
	}
	b := newBed(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := "f" + strconv.Itoa(i)
			b.deploy(faas.Function{Name: named(name), Image: "exec:" + b.script(name, tt.script), EnvVars: tt.env})
			resp, body, err := b.get(name)
			if resp == nil {
				t.Fatal(err)
			}
			if resp.Status != tt.status || body != tt.body || !errors.Is(err, tt.err) {
				t.Errorf("status %d, %d bytes %.60q, error %v", resp.Status, len(body), body, err)
			}
			if got := resp.Trailer().Get(fork.ExitTrailer); got != tt.trailer {
				t.Errorf("trailer says %q, want %q", got, tt.trailer)
			}
			if got := resp.Header.Get("Content-Type"); got != tt.contentType {
				t.Errorf("content type %q, want %q", got, tt.contentType)
			}
			if resp.Header.Has("X-Duration-Seconds") == resp.Trailer().Has("X-Duration-Seconds") {
				t.Errorf("the duration is not in one of header %v and trailer %v", resp.Header, resp.Trailer())
			}
		})
	}
}

// TestForkedEvents: an event stream is not held back.
func TestForkedEvents(t *testing.T) {
	b := newBed(t)
	gate := filepath.Join(b.dir, "gate")
	b.deploy(faas.Function{Name: named("events"), Image: "exec:" + b.script("events",
		"echo 'data: 1'; while [ ! -e "+gate+" ]; do sleep 0.05; done; echo 'data: 2'")})
	resp, err := b.rt.Invoke(t.Context(), &faas.Request{Name: named("events"), Method: "GET", Header: faas.Header{{Name: "Accept", Value: "text/event-stream"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if ct := resp.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Errorf("content type %q", ct)
	}
	r := bufio.NewReader(resp.Body)
	if line, err := r.ReadString('\n'); line != "data: 1\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := os.WriteFile(gate, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(r); string(rest) != "data: 2\n" || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

// TestForkedIsKilled: with its whole group, by a cancel and by Close.
func TestForkedIsKilled(t *testing.T) {
	dir := t.TempDir()
	cfg := testConfig(dir)
	cfg.Grace = 500 * time.Millisecond
	b := &bed{t, dir, start(t, cfg)}
	for _, how := range []string{"cancel", "close", "remove"} {
		t.Run(how, func(t *testing.T) {
			pids := filepath.Join(b.dir, how+".pids")
			if err := errors.Join(os.WriteFile(pids, nil, 0o666), os.Chmod(pids, 0o666)); err != nil {
				t.Fatal(err)
			}
			b.deploy(faas.Function{Name: named(how), Image: "exec:" + b.script(how, "sleep 300 & echo $$ $! >> "+pids+"; echo 'data: x'; wait")})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			resp, err := b.rt.Invoke(ctx, &faas.Request{Name: named(how), Method: "GET", Header: faas.Header{{Name: "Accept", Value: "text/event-stream"}}})
			if err != nil {
				t.Fatal(err)
			}
			until(t, "both processes run", func() bool { return len(lines(pids)) == 2 })
			switch how {
			case "cancel":
				cancel()
				_, err = io.Copy(io.Discard, resp.Body)
				if !errors.Is(err, context.Canceled) || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("error %v", err)
				}
			case "remove":
				go func() { _ = b.rt.Remove(context.Background(), named(how)) }()
				if _, err = io.Copy(io.Discard, resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("error %v", err)
				}
			}
			if err := resp.Body.Close(); err != nil {
				t.Error(err)
			}
			for _, pid := range lines(pids) {
				until(t, "process "+pid+" is gone", func() bool { return !alive(pid) })
			}
		})
	}
}

// alive is false for a zombie: nobody may be there to reap an orphan.
func alive(pid string) bool {
	if text, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil {
		return !strings.Contains(string(text), ") Z ")
	}
	n, err := strconv.Atoi(pid)
	return err == nil && syscall.Kill(n, 0) == nil
}

func TestForkedBodyThatFails(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("count"), Image: "whatever", EnvProcess: "wc -c"})
	for _, size := range []int64{-1, 1000} {
		body := io.MultiReader(strings.NewReader("some"), failing{})
		_, got, err := b.call(&faas.Request{Name: named("count"), Method: "POST", Body: body, Size: size})
		if !errors.Is(err, errBroken) {
			t.Errorf("size %d: answer %q, error %v", size, got, err)
		}
	}
	_, got, err := b.call(&faas.Request{Name: named("count"), Method: "POST", Body: strings.NewReader("1234567890"), Size: 4})
	if strings.TrimSpace(got) != "4" || err != nil {
		t.Errorf("a body longer than its size: %q, %v", got, err)
	}
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// TestForkedRunsBigBodies both ways through a program that streams.
func TestForkedRunsBigBodies(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("cat"), Image: "whatever", EnvProcess: "cat"})
	for _, size := range []int64{-1, 8 << 20} {
		body := strings.Repeat("0123456789abcdef", 8<<20/16)
		begun := time.Now()
		_, got, err := b.call(&faas.Request{Name: named("cat"), Method: "POST", Body: strings.NewReader(body), Size: size})
		if got != body || err != nil {
			t.Errorf("%d bytes came back in %v, error %v", len(got), time.Since(begun), err)
		}
	}
}
