package faastest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// patience is how long the suite waits for what ought to happen at once.
const patience = 30 * time.Second

func (s *suite) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) wants(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("error %v, want one that is %q", err, want)
	}
}

func named(name string) faas.Name {
	return faas.Name{Function: name, Namespace: faas.DefaultNamespace}
}

// deploy deploys image as name.
func (s *suite) deploy(name, image string) faas.Name {
	s.Helper()
	n := named(name)
	s.check(s.rt.Deploy(s.Context(), faas.Function{Name: n, Image: image}))
	return n
}

// post is a request whose body is at hand.
func post(n faas.Name, body []byte) *faas.Request {
	return &faas.Request{Name: n, Method: "POST", Body: bytes.NewReader(body), Size: int64(len(body))}
}

func get(n faas.Name, path, query string) *faas.Request {
	return &faas.Request{Name: n, Method: "GET", Path: path, Query: query}
}

func (s *suite) invoke(r *faas.Request) *faas.Response {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	s.Cleanup(cancel)
	resp, err := s.rt.Invoke(ctx, r)
	s.check(err)
	return resp
}

// finish reads an answer to its end and closes it.
func (s *suite) finish(resp *faas.Response) []byte {
	s.Helper()
	defer func() { s.check(resp.Body.Close()) }()
	body, err := io.ReadAll(resp.Body)
	s.check(err)
	return body
}

func (s *suite) counters(n faas.Name) (c Counters) {
	s.Helper()
	s.check(json.Unmarshal(s.finish(s.invoke(get(n, "/_/counters", ""))), &c))
	return c
}

// until polls.
func (s *suite) until(what string, ok func() bool) {
	s.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("did not happen in %v: %s", patience, what)
		}
	}
}

func (s *suite) status(n faas.Name) faas.Status {
	s.Helper()
	st, err := s.rt.Get(s.Context(), n)
	s.check(err)
	return st
}
