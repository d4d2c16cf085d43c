package faastest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

// cancel: who goes away ends the call at the function.
func (s *suite) cancel() {
	n := s.deploy("long", s.images.Sleep)
	s.finish(s.invoke(get(n, "", "d=1ms")))
	before := s.counters(n)
	ctx, leave := context.WithCancel(s.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := s.rt.Invoke(ctx, get(n, "", "d=1h"))
		failed <- err
	}()
	s.until("the call runs", func() bool { return s.counters(n).InFlight == 1 })
	leave()
	err := <-failed
	s.wants(err, context.Canceled)
	if err != nil && strings.Contains(err.Error(), faas.ErrNotStarted.Error()) {
		s.Errorf("a call that ran is said not to have started: %v", err)
	}
	s.until("the function noticed", func() bool {
		c := s.counters(n)
		return c.InFlight == 0 && c.Cancelled == before.Cancelled+1
	})
}

// events reach the caller as they are sent.
func (s *suite) events() {
	n := s.deploy("events", s.images.Stream)
	r := get(n, "", "n=3&every=200ms")
	r.Header = faas.Header{{Name: "Accept", Value: "text/event-stream"}}
	resp := s.invoke(r)
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/event-stream") {
		s.Errorf("content type %q", ct)
	}
	var arrived []time.Time
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") {
			arrived = append(arrived, time.Now())
		}
	}
	s.check(lines.Err())
	s.check(resp.Body.Close())
	if len(arrived) != 3 {
		s.Fatalf("%d events, want 3", len(arrived))
	}
	if gap := arrived[2].Sub(arrived[0]); gap < 200*time.Millisecond {
		s.Errorf("events sent 400ms apart arrived within %v", gap)
	}
}

func (s *suite) trailers() {
	n := s.deploy("trailing", s.images.Echo)
	r := post(n, []byte("body"))
	r.Body, r.Size = hidden{r.Body}, -1
	r.Trailer = func() faas.Header { return faas.Header{{Name: "X-Checksum", Value: "abc"}} }
	resp := s.invoke(r)
	s.finish(resp)
	if resp.Trailer == nil {
		s.Fatal("answer has no trailer")
	}
	if diff := cmp.Diff("abc", resp.Trailer().Get("X-Checksum")); diff != "" {
		s.Errorf("trailer (-want +got):\n%s", diff)
	}
}

// webSocket has a WebSocket client talk through the Runtime.
func (s *suite) webSocket() {
	n := s.deploy("socket", s.images.Echo)
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	hc := &http.Client{Transport: upgrading{s.rt, n}}
	c, _, err := websocket.Dial(ctx, "http://function/", &websocket.DialOptions{HTTPClient: hc})
	s.check(err)
	for _, message := range [][]byte{[]byte("one"), random(3, 30_000)} {
		s.check(c.Write(ctx, websocket.MessageBinary, message))
		_, got, err := c.Read(ctx)
		s.check(err)
		if !bytes.Equal(got, message) {
			s.Errorf("message of %d bytes came back as %d others", len(message), len(got))
		}
	}
	s.check(c.Close(websocket.StatusNormalClosure, ""))
}

// upgrading carries a WebSocket client's handshake to a function.
type upgrading struct {
	rt faas.Runtime
	n  faas.Name
}

func (u upgrading) RoundTrip(r *http.Request) (*http.Response, error) {
	req := &faas.Request{Name: u.n, Method: r.Method, Host: r.Host, Upgrade: "websocket"}
	for name, values := range r.Header {
		for _, v := range values {
			req.Header.Add(name, v)
		}
	}
	req.Header.DropHopByHop()
	resp, err := u.rt.Invoke(r.Context(), req)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	for _, f := range resp.Header {
		header.Add(f.Name, f.Value)
	}
	var body io.ReadCloser = resp.Body
	if resp.Conn != nil {
		body = resp.Conn
	}
	return &http.Response{StatusCode: resp.Status, Header: header, Body: body, Request: r}, nil
}
