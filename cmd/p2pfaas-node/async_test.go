package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestAsyncTools runs a real node and asks it for calls that run later.
func TestAsyncTools(t *testing.T) {
	cleanEnviron(t)
	data := t.TempDir()
	ready, stop := startNode(t, data)
	defer stop()
	t.Setenv("P2PFAAS_NODE", "http://"+strings.TrimPrefix(ready["http"], "http://"))
	t.Setenv("P2PFAAS_DATA", data)
	tool := func(args string) ran { t.Helper(); return program(t, nil, strings.Fields(args)...) }
	mustRun := func(args string) string {
		t.Helper()
		got := tool(args)
		if got.code != exitOK {
			t.Fatalf("%s: %+v", args, got)
		}
		return got.stdout
	}

	posted := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posted <- r.Header.Get("X-Call-Id") + " " + string(body)
	}))
	defer receiver.Close()

	mustRun("deploy echo --image builtin:echo")
	id := strings.TrimSpace(mustRun("invoke echo --async --data hi --callback " + receiver.URL + "/done"))
	select {
	case got := <-posted:
		if got != id+" hi" {
			t.Errorf("callback %q, want %s hi", got, id)
		}
	case <-time.After(patience):
		t.Fatal("no callback")
	}
	state := func(id string) string {
		var told asyncCall
		if err := json.Unmarshal([]byte(mustRun("calls status "+id+" -o json")), &told); err != nil {
			t.Fatal(err)
		}
		return string(told.State)
	}
	until(t, "the call is done", func() bool { return state(id) == "done" })
	if got := mustRun("calls result " + id); got != "hi" {
		t.Errorf("result %q, want hi", got)
	}
	if got := mustRun("calls result -i " + id); !strings.Contains(got, "200 OK") || !strings.HasSuffix(got, "\n\nhi") {
		t.Errorf("result with its header: %q", got)
	}
	until(t, "the callback counts as delivered", func() bool { return strings.Contains(mustRun("calls status "+id), "delivered") })
	if got := mustRun("calls --async --state done"); !strings.Contains(got, id) || !strings.Contains(got, "delivered") {
		t.Errorf("listing of done calls:\n%s", got)
	}
	if got := mustRun("calls --async --state dead -o json"); got != "[]\n" {
		t.Errorf("listing of dead calls: %s", got)
	}
	for args, want := range map[string]string{
		"calls cancel " + id:                           "cancel call " + id + ": 409",
		"calls requeue " + id:                          "requeue call " + id + ": 409",
		"calls status nope":                            "status call nope: 404",
		"calls result nope":                            "result of call nope: 404",
		"calls cancel nope":                            "cancel call nope: 404",
		"calls drop nope":                              "drop call nope: 404",
		"invoke echo --async --data x -H X-Call-Id:..": "answered 400",
	} {
		if got := tool(args); got.code != exitFailure || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v, want %q", args, got, want)
		}
	}
	mustRun("calls drop " + id)
	if got := tool("calls status " + id); got.code != exitFailure {
		t.Errorf("a dropped call: %+v", got)
	}
}

// TestDeadCallIsTriedAgain: a call that failed for good is listed, and runs once
// its function is mended.
func TestDeadCallIsTriedAgain(t *testing.T) {
	cleanEnviron(t)
	data := t.TempDir()
	ready, stop := startNode(t, data)
	defer stop()
	t.Setenv("P2PFAAS_NODE", "http://"+strings.TrimPrefix(ready["http"], "http://"))
	t.Setenv("P2PFAAS_DATA", data)
	mustRun := func(args ...string) string {
		t.Helper()
		got := program(t, nil, args...)
		if got.code != exitOK {
			t.Fatalf("%v: %+v", args, got)
		}
		return got.stdout
	}
	mustRun("deploy", "f", "--env-process", "false", "--annotation", "com.openfaas.retry.attempts=1", "--annotation", "com.openfaas.retry.codes=500")
	id := strings.TrimSpace(mustRun("invoke", "f", "--async", "--data", "hi"))
	until(t, "the call is dead", func() bool { return strings.Contains(mustRun("calls", "--async", "--state", "dead"), id) })
	mustRun("deploy", "f", "--env-process", "cat")
	if got := mustRun("calls", "requeue", id); !strings.Contains(got, id) {
		t.Errorf("requeue tells %q", got)
	}
	until(t, "the call is done", func() bool { return strings.Contains(mustRun("calls", "--async", "--state", "done"), id) })
	if got := mustRun("calls", "result", id); got != "hi" {
		t.Errorf("result %q, want hi", got)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func TestAsyncUsage(t *testing.T) {
	cleanEnviron(t)
	for args, want := range map[string]string{
		"invoke f --callback http://127.0.0.1/":                           "--callback goes with --async",
		"invoke f --async --callback nowhere":                             `--callback "nowhere": want a URL`,
		"invoke f --async -X GET":                                         "asynchronous calls are POST",
		"invoke f --async --peer /ip4/127.0.0.1/tcp/1/p2p/" + runningPeer: "--async goes over HTTP",
		"calls --state dead":                                              "--state goes with --async",
		"calls --async --outcome answered":                                "--outcome does not go with --async",
		"calls --async --state lost":                                      "want one of queued, running, done, dead, cancelled, copy",
		"calls requeue":                                                   "requeue: ID is missing",
		"calls requeu x":                                                  `"requeu" is one argument too many`,
	} {
		if got := program(t, nil, strings.Fields(args)...); got.code != exitUsage || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v, want %q", args, got, want)
		}
	}
}
