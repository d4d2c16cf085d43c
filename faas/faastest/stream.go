package faastest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

// random is a body of n bytes that differs from every other.
func random(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// hidden shows nothing of a reader but Read, as a network stream does.
type hidden struct{ io.Reader }

func (s *suite) bodies() {
	n := s.deploy("echo", s.images.Echo)
	for i, size := range []int{0, 1, 1000, 4096, 64 << 10, 64<<10 + 1, 5 << 20} {
		body := random(uint64(i), size)
		known, plain, unsized := post(n, body), post(n, body), post(n, body)
		plain.Body = hidden{plain.Body}
		unsized.Body, unsized.Size = hidden{unsized.Body}, -1
		for how, r := range map[string]*faas.Request{"at hand": known, "known size": plain, "unknown size": unsized} {
			s.sameBack(fmt.Sprintf("%d bytes, %s", size, how), r, sha256.Sum256(body))
		}
	}
}

func (s *suite) sameBack(what string, r *faas.Request, want [sha256.Size]byte) {
	s.Helper()
	resp := s.invoke(r)
	h := sha256.New()
	size, err := io.Copy(h, resp.Body)
	s.check(err)
	s.check(resp.Body.Close())
	if sumOf(h) != want {
		s.Errorf("%s: came back as %d other bytes", what, size)
	}
	if resp.Size >= 0 && resp.Size != size {
		s.Errorf("%s: Size is %d, but %d bytes came", what, resp.Size, size)
	}
}

func sumOf(h hash.Hash) [sha256.Size]byte { return [sha256.Size]byte(h.Sum(nil)) }

// fullDuplex has a dialogue within one invocation: each part is sent only when
// the one before has come back.
func (s *suite) fullDuplex() {
	n := s.deploy("dialogue", s.images.Echo)
	pr, pw := io.Pipe()
	defer func() { _ = pr.Close() }()
	go func() { _, _ = io.WriteString(pw, "hello") }()
	resp := s.invoke(&faas.Request{Name: n, Method: "POST", Body: pr, Size: -1})
	s.expect(resp.Body, "hello")
	for i := range 20 {
		part := fmt.Sprintf("part %d", i)
		_, err := io.WriteString(pw, part)
		s.check(err)
		s.expect(resp.Body, part)
	}
	s.check(pw.Close())
	if rest := s.finish(resp); len(rest) != 0 {
		s.Errorf("the dialogue ended with %q", rest)
	}
}

func (s *suite) expect(r io.Reader, want string) {
	s.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(r, got)
	s.check(err)
	if string(got) != want {
		s.Errorf("got %q, want %q", got, want)
	}
}

var errCut = errors.New("the caller's connection broke")

// cutRequest: a body that fails must not reach the function as a whole one.
func (s *suite) cutRequest() {
	n := s.deploy("half", s.images.Echo)
	for _, size := range []int64{-1, 1 << 20} {
		part := hidden{io.MultiReader(bytes.NewReader(random(1, 1000)), failing{errCut})}
		resp, err := s.rt.Invoke(s.Context(), &faas.Request{Name: n, Method: "POST", Body: part, Size: size})
		if err != nil {
			continue
		}
		if _, err = io.Copy(io.Discard, resp.Body); err == nil {
			s.Errorf("size %d: a request that was cut got a whole answer", size)
		}
		_ = resp.Body.Close()
	}
	short := post(n, []byte("short"))
	short.Size = 10
	if resp, err := s.rt.Invoke(s.Context(), short); err == nil {
		if _, err = io.Copy(io.Discard, resp.Body); err == nil {
			s.Error("a body shorter than its size got a whole answer")
		}
		_ = resp.Body.Close()
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// cutAnswer: an answer that breaks off never ends cleanly.
func (s *suite) cutAnswer() {
	n := s.deploy("broken", s.images.Echo)
	for _, size := range []int64{100_000, -1} {
		r := post(n, random(2, 100_000))
		r.Query, r.Size = "cut=5000", size
		r.Body = hidden{r.Body}
		resp := s.invoke(r)
		_, err := io.Copy(io.Discard, resp.Body)
		s.wants(err, io.ErrUnexpectedEOF)
		s.check(resp.Body.Close())
	}
}

// closedEarly: a caller may lose interest; the next one must not notice.
func (s *suite) closedEarly() {
	n := s.deploy("bored", s.images.Echo)
	for i := range 20 {
		body := random(uint64(i), 300_000)
		resp := s.invoke(post(n, body))
		_, err := io.ReadFull(resp.Body, make([]byte, 10*i))
		s.check(err)
		s.check(resp.Body.Close())
		s.check(resp.Body.Close())
		s.sameBack("after an answer that was not read", post(n, body), sha256.Sum256(body))
	}
}

func (s *suite) concurrency() {
	n := s.deploy("busy", s.images.Echo)
	var callers sync.WaitGroup
	for c := range uint64(16) {
		callers.Go(func() {
			for i := range uint64(25) {
				body := random(c*100+i, int(1+i*997))
				resp, err := s.rt.Invoke(s.Context(), post(n, body))
				if err != nil {
					s.Error(err)
					return
				}
				got, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || !bytes.Equal(got, body) {
					s.Errorf("caller %d got another's answer (error %v)", c, err)
				}
			}
		})
	}
	callers.Wait()
	s.until("all invocations are counted", func() bool { return s.status(n).Invocations == 16*25 })
}

func (s *suite) headers() {
	n := s.deploy("fields", s.images.Echo)
	r := post(n, []byte("x"))
	r.Header = faas.Header{
		{Name: "X-Echo-Many", Value: "one"}, {Name: "X-Echo-Many", Value: "two, three"},
		{Name: "X-Echo-Empty", Value: ""}, {Name: "Content-Type", Value: "text/x-odd; a=b"},
		{Name: "Connection", Value: "X-Echo-Hop"}, {Name: "Keep-Alive", Value: "timeout=1"},
	}
	r.Query = "status=418"
	resp := s.invoke(r)
	s.finish(resp)
	if resp.Status != 418 {
		s.Errorf("status %d, want the function's 418", resp.Status)
	}
	many := []string{}
	for _, f := range resp.Header {
		if strings.EqualFold(f.Name, "X-Echo-Many") {
			many = append(many, f.Value)
		}
	}
	if diff := cmp.Diff([]string{"one", "two, three"}, many); diff != "" {
		s.Errorf("field with two values (-want +got):\n%s", diff)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/x-odd; a=b" || !resp.Header.Has("X-Echo-Empty") {
		s.Errorf("fields came back as %v", resp.Header)
	}
	for _, hop := range []string{"Connection", "Keep-Alive", "Transfer-Encoding"} {
		if resp.Header.Has(hop) {
			s.Errorf("answer has the hop-by-hop field %s", hop)
		}
	}
}

// noBody: HEAD, 204 and 304 answer without a body, and the connection lives on.
func (s *suite) noBody() {
	n := s.deploy("quiet", s.images.Echo)
	for range 3 {
		head := get(n, "", "")
		head.Method = "HEAD"
		for what, r := range map[string]*faas.Request{"HEAD": head, "204": get(n, "", "status=204"), "304": get(n, "", "status=304")} {
			if body := s.finish(s.invoke(r)); len(body) != 0 {
				s.Errorf("%s answered with a body: %q", what, body)
			}
		}
		s.finish(s.invoke(post(n, []byte("next"))))
	}
}

func (s *suite) cancelBefore() {
	n := s.deploy("never", s.images.Echo)
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_, err := s.rt.Invoke(ctx, get(n, "", ""))
	s.wants(err, context.Canceled)
	s.wants(err, faas.ErrNotStarted)
}
