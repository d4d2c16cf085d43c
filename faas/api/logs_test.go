package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openfaas/faas-provider/logs"
)

// TestLogs: which lines, in which order, of what shape.
func TestLogs(t *testing.T) {
	conforms(t, func(t *testing.T, s *served) {
		s.rows(t, []row{
			{"POST /system/functions", `{"service":"talk","image":"$SAY","envVars":{"combine_output":"false"}}`, 202, "="},
			{"GET /system/logs", "", 400, "parameter name"},
			{"GET /system/logs?name=talk&tail=x", "", 400, `tail="x"`},
			{"GET /system/logs?name=talk&since=yesterday", "", 400, `since="yesterday"`},
			{"GET /system/logs?name=talk&follow=perhaps", "", 400, `follow="perhaps"`},
			{"GET /system/logs?name=none", "", 404, "none"},
			{"HEAD /system/logs?name=talk&follow=1", "", 200, "="},
			{"GET /system/logs?name=talk&namespace=No", "", 400, `"No"`},
		})
		for _, text := range []string{"one", "two <2>", "three"} {
			s.speak(t, s.runtime, text)
			until(t, "it is in the log", func() bool { return len(s.said(t, "", text)) == 1 })
		}
		all := s.said(t, "", "one", "two <2>", "three")
		if len(all) != 3 || all[0].Text != "one" || all[2].Text != "three" {
			t.Fatalf("lines %v", all)
		}
		for i, m := range all {
			if m.Name != "talk" || m.Namespace != "openfaas-fn" || m.Instance == "" || time.Since(m.Timestamp).Abs() > time.Hour {
				t.Errorf("line %+v", m)
			}
			if i > 0 && m.Timestamp.Before(all[i-1].Timestamp) {
				t.Errorf("line of %v after one of %v", m.Timestamp, all[i-1].Timestamp)
			}
		}
		future := url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339))
		for query, want := range map[string]int{
			"&tail=-1": 3, "&tail=0": 3, "&tail=1000&follow=0": 3, "&follow=false": 3, "&namespace=openfaas-fn": 3,
			"&since=2020-01-01T00:00:00Z": 3, "&since=" + future: 0, "&instance=nobody": 0,
		} {
			if got := s.said(t, query, "one", "two <2>", "three"); len(got) != want {
				t.Errorf("%s: %d lines, want %d", query, len(got), want)
			}
		}
		if got := s.lines(t, "&tail=1"); len(got) != 1 {
			t.Errorf("the last line is %v", got)
		}
	})
}

// lines asks for the log of talk.
func (s *served) lines(t *testing.T, query string) []logs.Message {
	t.Helper()
	status, body, header := s.call("GET", "/system/logs?name=talk"+query, "")
	if kind := header.Get("Content-Type"); status != 200 || kind != "application/x-ndjson" {
		t.Fatalf("%s: %d %s %q", query, status, kind, body)
	}
	var list []logs.Message
	for line := range strings.Lines(body) {
		var m logs.Message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, m)
	}
	return list
}

// said are the lines that are one of those texts: a process may have more to say.
func (s *served) said(t *testing.T, query string, texts ...string) []logs.Message {
	t.Helper()
	var some []logs.Message
	for _, m := range s.lines(t, query) {
		for _, text := range texts {
			if m.Text == text {
				some = append(some, m)
			}
		}
	}
	return some
}

// TestFollow: a line comes as soon as it was written, each once and also after
// a pause, until this or that side ends it.
func TestFollow(t *testing.T) {
	conforms(t, func(t *testing.T, s *served) {
		s.rows(t, []row{{"POST /system/functions", `{"service":"talk","image":"$SAY","envVars":{"combine_output":"false"}}`, 202, "="}})
		s.speak(t, s.runtime, "before")
		until(t, "it is in the log", func() bool { return len(s.said(t, "", "before")) == 1 })
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		mine, others := s.follow(t, ctx), s.follow(t, t.Context())
		for _, text := range []string{"before", "first", "second", "third"} {
			if text != "before" {
				time.Sleep(200 * time.Millisecond) // past the time limit of the gateway, once
				s.speak(t, s.runtime, text)
			}
			for _, f := range []*following{mine, others} {
				f.hears(t, text)
			}
		}
		leave()
		mine.ends(t, context.Canceled)
		s.api.Close()
		others.ends(t, nil)
	})
}

// following is a log that is followed.
type following struct {
	said chan string // closed at the end
	err  error       // why it ended; read once said is closed
}

func (s *served) follow(t *testing.T, ctx context.Context) *following {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+"/system/logs?name=talk&follow=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	f := &following{said: make(chan string, 100)}
	go func() { // ends with the answer
		defer close(f.said)
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			var m logs.Message
			if f.err = json.NewDecoder(bytes.NewReader(lines.Bytes())).Decode(&m); f.err != nil {
				return
			}
			f.said <- m.Text
		}
		f.err = lines.Err()
	}()
	return f
}

// hears waits for a line; what a process says of itself comes before the first.
func (f *following) hears(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got, open := <-f.said:
			if got == want {
				return
			}
			if !open || got == "before" || got == "first" || got == "second" {
				t.Fatalf("heard %q instead of %q: %v", got, want, f.err)
			}
		case <-deadline:
			t.Fatalf("did not hear %q within %v", want, patience)
		}
	}
}

func (f *following) ends(t *testing.T, want error) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case _, open := <-f.said:
			if !open {
				if diff := cmp.Diff(want == nil, f.err == nil); diff != "" {
					t.Errorf("ended with %v, want %v", f.err, want)
				}
				return
			}
		case <-deadline:
			t.Fatalf("did not end within %v", patience)
		}
	}
}
