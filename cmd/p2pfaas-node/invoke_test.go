package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// invoke runs the tool without credentials, which invocations do not need.
func (n *testNode) invoke(t *testing.T, stdin io.Reader, args ...string) ran {
	t.Helper()
	return program(t, stdin, append(append([]string{"invoke"}, args...), "--node", n.url)...)
}

func TestInvoke(t *testing.T) {
	n := newTestNode(t)
	n.functions.HandleFunc("/function/show/", show)
	n.functions.HandleFunc("/function/show", show)
	n.functions.HandleFunc("/function/show.lab", show)
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name  string
		stdin string
		args  []string
		want  string
	}{
		{"plain", "ignored", []string{"show"}, "GET /function/show - 0 of 0"},
		{"text", "", []string{"show", "-d", "hello"}, "POST /function/show - 5 of 5"},
		{"standard input", "from stdin", []string{"show", "--data", "-"}, "POST /function/show - 10 of -1"},
		{"file", "", []string{"show", "--data", "@" + file}, "POST /function/show - 2097152 of 2097152"},
		{"method", "", []string{"show", "-X", "put", "-d", "a"}, "PUT /function/show - 1 of 1"},
		{"path and query", "", []string{"show", "--path", "a%20b/c", "--query", "x=1&y=2"}, "GET /function/show/a%20b/c?x=1&y=2 - 0 of 0"},
		{"namespace", "", []string{"show", "--namespace", "lab"}, "GET /function/show.lab - 0 of 0"},
		{"deadline", "", []string{"show", "--deadline", "90s"}, "GET /function/show 1m30s 0 of 0"},
		{"header", "", []string{"show", "-H", "X-P2pfaas-Deadline: 7s"}, "GET /function/show 7s 0 of 0"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := n.invoke(t, strings.NewReader(c.stdin), c.args...)
			if got.code != exitOK || got.stdout != c.want || got.stderr != "" {
				t.Errorf("got %+v, want %q", got, c.want)
			}
		})
	}
}

func show(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	deadline := r.Header.Get("X-P2pfaas-Deadline")
	if deadline == "" {
		deadline = "-"
	}
	fmt.Fprintf(w, "%s %s %s %d of %d", r.Method, r.RequestURI, deadline, n, r.ContentLength)
}

func TestInvokeOutcomes(t *testing.T) {
	n := newTestNode(t)
	n.functions.HandleFunc("/function/refused", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		w.Header().Set("X-P2pfaas-Outcome", "not-started")
		http.Error(w, "refused: full", http.StatusTooManyRequests)
	})
	n.functions.HandleFunc("/function/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	n.functions.HandleFunc("/function/cut", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	n.functions.HandleFunc("/function/made", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Add("X-A", "1")
		w.Header().Add("X-A", "2")
		w.WriteHeader(http.StatusCreated)
	})
	cases := []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"refused", exitFailure, "refused: full\n", "Error: invoke refused: answered 429 Too Many Requests, X-P2pfaas-Outcome not-started, Retry-After 3\n"},
		{"redirect", exitFailure, "", "answered 302 Found"},
		{"cut", exitFailure, "half", "answer cut short after 4 bytes"},
		{"made", exitOK, "", ""},
		{"made -i", exitOK, "HTTP/1.1 201 Created\nContent-Length: 0\nX-A: 1\nX-A: 2\n\n", ""},
	}
	for _, c := range cases {
		got := n.invoke(t, nil, strings.Fields(c.args)...)
		if got.code != c.code || !strings.HasPrefix(got.stdout, c.stdout) || !strings.Contains(got.stderr, c.stderr) {
			t.Errorf("%s: got %+v, want %+v", c.args, got, c)
		}
	}
}

// TestInvokeStreams: each line comes back before the next one is sent.
func TestInvokeStreams(t *testing.T) {
	n := newTestNode(t)
	n.functions.HandleFunc("/function/echo", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintf(w, "echo %s\n", lines.Text())
			_ = http.NewResponseController(w).Flush()
		}
	})
	stdin, toTool := io.Pipe()
	fromTool, stdout := io.Pipe()
	code := make(chan int, 1)
	go func() { // ends when the tool does
		code <- run(t.Context(), []string{"invoke", "echo", "--data", "-", "--node", n.url}, stdin, stdout, io.Discard)
		stdout.Close()
	}()
	answer := bufio.NewReader(fromTool)
	for i := range 3 {
		fmt.Fprintf(toTool, "line %d\n", i)
		got, err := answer.ReadString('\n')
		if want := fmt.Sprintf("echo line %d\n", i); err != nil || got != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	toTool.Close()
	if rest, err := io.ReadAll(answer); err != nil || len(rest) != 0 {
		t.Errorf("%q, %v after the end", rest, err)
	}
	if c := <-code; c != exitOK {
		t.Errorf("exit code %d", c)
	}
}

// TestInvokeGivesUp: a node that does not keep the deadline is not waited for.
func TestInvokeGivesUp(t *testing.T) {
	n := newTestNode(t)
	n.functions.HandleFunc("/function/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	began := time.Now()
	got := n.invoke(t, nil, "hang", "--deadline", "10ms")
	if got.code != exitFailure || !strings.Contains(got.stderr, "no answer within --deadline") {
		t.Errorf("%+v", got)
	}
	if took := time.Since(began); took < deadlineGrace {
		t.Errorf("gave up after %v, before the node could say 504", took)
	}
}
