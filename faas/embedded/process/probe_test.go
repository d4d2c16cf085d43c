package process

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTally(t *testing.T) {
	p := Probe{Failures: 3, Successes: 2}
	for name, tt := range map[string]struct{ answers, states string }{
		"stays":          {"yyyy", "YYYY"},
		"one no":         {"ynyy", "YYYY"},
		"not in a row":   {"nnynny", "YYYYYY"},
		"three in a row": {"nnnn", "YYNN"},
		"back":           {"nnnynyy", "YYNNNNY"},
	} {
		state := tally{yes: true}
		got := ""
		for _, answer := range tt.answers {
			before := state.yes
			if changed := state.add(&p, answer == 'y'); changed != (before != state.yes) {
				t.Errorf("%s: told %v of %v", name, changed, before != state.yes)
			}
			got += map[bool]string{true: "Y", false: "N"}[state.yes]
		}
		if got != tt.states {
			t.Errorf("%s: %s makes %s, want %s", name, tt.answers, got, tt.states)
		}
	}
}

func TestAsk(t *testing.T) {
	stuck := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/no":
			w.WriteHeader(http.StatusTeapot)
		case "/moved":
			w.Header().Set("Location", "/no")
			w.WriteHeader(http.StatusFound)
		case "/stuck":
			<-stuck
		}
	}))
	defer srv.Close()
	defer close(stuck)
	addr := srv.Listener.Addr().String()
	for path, says := range map[string]string{"": "", "/yes?really=1": "", "/moved": "", "/no": "status 418", "/stuck": "no answer within 50ms"} {
		p := Probe{Path: path, Timeout: 5 * time.Second}
		if path == "/stuck" {
			p.Timeout = 50 * time.Millisecond
		}
		err := p.ask(context.Background(), addr)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want %q", path, err, says)
		}
	}
}

// TestWatch: changes are told, once each, until the end.
func TestWatch(t *testing.T) {
	answers := make(chan int)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case status := <-answers:
			w.WriteHeader(status)
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	p := Probe{Path: "/", Period: time.Millisecond, Timeout: time.Minute, Failures: 2, Successes: 1}
	ctx, cancel := context.WithCancel(context.Background())
	told, ended := make(chan error, 10), make(chan struct{})
	go func() {
		defer close(ended)
		p.watch(ctx, srv.Listener.Addr().String(), func(err error) { told <- err })
	}()
	for _, status := range []int{200, 503, 200, 503, 503, 503, 204, 503} {
		answers <- status
	}
	cancel()
	<-ended
	close(told)
	var got []bool
	for err := range told {
		got = append(got, err == nil)
	}
	if len(got) != 2 || got[0] || !got[1] {
		t.Errorf("told %v, want no and yes", got)
	}
}

// TestWhoIsStopped: replicas that do nothing before those that do.
func TestWhoIsStopped(t *testing.T) {
	g := NewGroup("f", Config{})
	add := func(phase phase, calls int) *replica {
		r := newReplica(g)
		r.phase = phase
		if phase == ready {
			r.current = &instance{calls: calls}
		}
		g.replicas = append(g.replicas, r)
		return r
	}
	idle, down, busy, begins, busier := add(ready, 0), add(paused, 0), add(ready, 2), add(starting, 0), add(ready, 5)
	for n, stopped := range []*replica{down, begins, idle, busy, busier} {
		if stopped.ctx.Err() != nil {
			t.Fatalf("replica %d was stopped too early", n)
		}
		g.Scale(4 - n)
		if stopped.ctx.Err() == nil {
			t.Errorf("with %d replicas the wrong one was stopped", 4-n)
		}
	}
	g.Close()
}
