package embedded_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

// log returns a function's lines, with the numbers in watchdog lines as N.
func (b *bed) log(name string) []string {
	b.Helper()
	lines, err := b.rt.Logs(b.Context(), faas.LogQuery{Name: named(name), Tail: -1})
	if err != nil {
		b.Fatal(err)
	}
	all := []string{}
	for line, err := range lines {
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, duration.ReplaceAllString(line.Text, "${1}N s"))
	}
	return all
}

var duration = regexp.MustCompile(`(Duration: )[0-9]+\.[0-9]{6}s`)

// TestForkedLog has the watchdog's lines as OpenFaaS users know them.
func TestForkedLog(t *testing.T) {
	b := newBed(t)
	both := b.script("both", "echo said >&2; echo answered")
	fails := b.script("fails", "echo tried; echo why >&2; exit 3")
	slow := b.script("slow", "sleep 60")
	for _, tt := range []struct {
		name, image, answer string
		env                 map[string]string
		status              int
		want                []string
	}{
		{"combined", both, "said\nanswered\n", nil, 200,
			[]string{"Forking fprocess.", "Wrote 14 Bytes - Duration: N s"}},
		{"apart", both, "answered\n", map[string]string{"combine_output": "false"}, 200,
			[]string{"Forking fprocess.", "said", "Wrote 9 Bytes - Duration: N s"}},
		{"debug", both, "said\nanswered\n", map[string]string{"write_debug": "true"}, 200,
			[]string{"Forking fprocess.", "Query  a=b", "Path  /", "said", "answered", "Duration: N s"}},
		{"failure", fails, "exit status 3\ntried\nwhy\n", nil, 500,
			[]string{"Forking fprocess.", "tried", "why", "Success=false, Error=exit status 3"}},
		{"failure apart", fails, "exit status 3\ntried\n", map[string]string{"combine_output": "0"}, 500,
			[]string{"Forking fprocess.", "why", "Success=false, Error=exit status 3"}},
		{"timeout", slow, "Killed process.\n", map[string]string{"exec_timeout": "100ms"}, 408,
			[]string{"Forking fprocess.", "Killing process: " + slow, "Success=false, Error=exec_timeout passed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := strings.ReplaceAll(tt.name, " ", "-")
			b.deploy(faas.Function{Name: named(name), Image: "exec:" + tt.image, EnvVars: tt.env})
			resp, body, err := b.call(&faas.Request{Name: named(name), Method: "GET", Query: "a=b"})
			if err != nil || resp.Status != tt.status || body != tt.answer {
				t.Errorf("status %d, answer %q, error %v", resp.Status, body, err)
			}
			if diff := cmp.Diff(tt.want, b.log(name)); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLogOfKept has both outputs, and goes on when the node is started anew.
func TestLogOfKept(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("kept"), Image: "serve:" + b.script("kept", "echo to output; echo to error >&2; exec sleep 300")})
	has := func(n int) func() bool {
		return func() bool {
			all := b.log("kept")
			return len(all) == 2*n && all[2*n-2] == "to output" && all[2*n-1] == "to error"
		}
	}
	until(t, "both lines are there", has(1))
	if err := b.rt.Close(); err != nil {
		t.Fatal(err)
	}
	b.rt = start(t, testConfig(b.dir))
	until(t, "both are there twice", has(2))
	if err := b.rt.Remove(t.Context(), named("kept")); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(b.dir, "logs", "*")); len(left) > 0 {
		t.Errorf("removal leaves %v", left)
	}
}

func TestLogOfOneElsewhere(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("f"), Image: "http://127.0.0.1:1"})
	if _, err := b.rt.Logs(t.Context(), faas.LogQuery{Name: named("f")}); !errors.Is(err, faas.ErrUnsupported) {
		t.Errorf("error %v", err)
	}
}

func TestForkedWithoutHeaders(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("f"), Image: "exec:/usr/bin/env", EnvVars: map[string]string{"cgi_headers": "false", "colour": "blue"}})
	if got := b.mustGet("f"); strings.Contains(got, "Http_") || !strings.Contains(got, "colour=blue\n") {
		t.Errorf("environment:\n%s", got)
	}
}

// TestForkedInflight: what is beyond max_inflight is refused and can come again.
func TestForkedInflight(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("one"), Image: "exec:/bin/cat", EnvVars: map[string]string{"max_inflight": "1", "content_type": "text/event-stream"}})
	r, w := io.Pipe()
	resp, err := invokeSoon(b, r, w)
	if err != nil {
		t.Fatal(err)
	}
	refused, body, err := b.get("one")
	if err != nil || refused.Status != 429 || !strings.Contains(body, "Max concurrent requests: 1") {
		t.Errorf("the second call: %v, %q, %v", refused, body, err)
	}
	_ = w.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Error(err)
	}
	_ = resp.Body.Close()
	if again, _, err := b.get("one"); err != nil || again.Status != 200 {
		t.Errorf("the third call: %v, %v", again, err)
	}
}

// invokeSoon begins a call whose body goes on.
func invokeSoon(b *bed, r io.Reader, w io.Writer) (*faas.Response, error) {
	go func() { _, _ = w.Write([]byte("begun")) }()
	return b.rt.Invoke(b.Context(), &faas.Request{Name: named("one"), Method: "POST", Body: r, Size: -1})
}

// TestForkedSlowBody: read_timeout counts what the body takes to come, not what
// the process takes to read it.
func TestForkedSlowBody(t *testing.T) {
	b := newBed(t)
	b.deploy(faas.Function{Name: named("one"), Image: "exec:" + b.script("slow", "sleep 1; wc -c"), EnvVars: map[string]string{"read_timeout": "500ms"}})
	body := strings.Repeat("x", 1<<20) // more than a pipe holds
	_, got, err := b.call(&faas.Request{Name: named("one"), Method: "POST", Body: strings.NewReader(body), Size: int64(len(body))})
	if strings.TrimSpace(got) != "1048576" || err != nil {
		t.Errorf("answer %q, error %v", got, err)
	}
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	begun := time.Now()
	resp, got, err := b.call(&faas.Request{Name: named("one"), Method: "POST", Body: r, Size: -1})
	if err != nil || resp.Status != 400 || !strings.Contains(got, "read_timeout") || time.Since(begun) < 500*time.Millisecond {
		t.Errorf("after %v: %v, %q, %v", time.Since(begun), resp, got, err)
	}
}

// TestEnvProcess: an image that stands for nothing here is forked, its command
// cut at spaces as OpenFaaS cuts it.
func TestEnvProcess(t *testing.T) {
	b := newBed(t)
	args := b.script("args", `for a in "$@"; do echo "<$a>"; done`)
	b.deploy(faas.Function{Name: named("f"), Image: "ghcr.io/org/f:1", EnvProcess: args + `  -c "two words" 'x'`})
	if got, want := b.mustGet("f"), "<-c>\n<\"two>\n<words\">\n<'x'>\n"; got != want {
		t.Errorf("arguments %q, want %q", got, want)
	}
	if note := b.status("f").Note; !strings.Contains(note, "quotes") {
		t.Errorf("note %q", note)
	}
}

// TestLogGoesWithFunction also if what served last has no log: a new function of
// that name does not tell what another wrote.
func TestLogGoesWithFunction(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer elsewhere.Close()
	b.deploy(faas.Function{Name: named("f"), Image: "exec:/bin/cat"})
	b.mustGet("f")
	b.deploy(faas.Function{Name: named("f"), Image: elsewhere.URL})
	b.mustGet("f")
	if err := b.rt.Remove(t.Context(), named("f")); err != nil {
		t.Fatal(err)
	}
	b.deploy(faas.Function{Name: named("f"), Image: "exec:/bin/cat"})
	if got := b.log("f"); len(got) > 0 {
		t.Errorf("a new function has the log %q", got)
	}
}
