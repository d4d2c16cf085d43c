package invoke_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// seen is what a handler saw when its context ended.
type seen struct {
	cause error
	at    time.Time
	body  error
}

// stubborn reads its body when asked to, waits for the end of ctx, and tells.
func stubborn(told chan<- seen, read bool) handlerFunc {
	return func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
		c.Start()
		var s seen
		if read {
			_, s.body = io.Copy(io.Discard, c.Body)
		}
		<-ctx.Done()
		s.cause, s.at = context.Cause(ctx), time.Now()
		told <- s
		return nil, s.cause
	}
}

// waiting has a caller in each of the states in which it may go away.
func waiting() map[string]*invoke.Request {
	full := post("")
	full.Size, full.Body = 10<<20, io.LimitReader(&counter{}, 10<<20)
	stalled := post("")
	pr, _ := io.Pipe()
	stalled.Size, stalled.Body = 100, &interruptible{r: pr}
	return map[string]*invoke.Request{"body sent": post("x"), "body not read": full, "body stalls": stalled}
}

// interruptible ends a Read that waits.
type interruptible struct{ r *io.PipeReader }

func (i *interruptible) Read(p []byte) (int, error) { return i.r.Read(p) }
func (i *interruptible) Interrupt()                 { _ = i.r.CloseWithError(errors.New("interrupted")) }

func TestCancelIsSeen(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		for name, r := range waiting() {
			if name == "body stalls" {
				r.Size = -1 // else the header waits for the first byte
			}
			t.Run(name, func(t *testing.T) {
				told := make(chan seen, 1)
				p := newPair(t, pairOptions{transport: transport}, stubborn(told, false))
				ctx, cancel := context.WithCancel(within(t))
				x, err := p.client.Open(ctx, p.peer(), r)
				if err != nil {
					t.Fatal(err)
				}
				begun := make(chan struct{})
				go func() {
					<-begun
					cancel()
				}()
				at := time.Now()
				_, err = x.Wait(func(invoke.Progress) {
					at = time.Now()
					select {
					case <-begun:
					default:
						close(begun)
					}
				})
				wantCode(t, err, invoke.CodeCancelled)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v does not wrap the context's", err)
				}
				s := <-told
				wantCode(t, s.cause, invoke.CodeCancelled)
				t.Logf("handler saw it after %v", s.at.Sub(at))
				if s.at.Sub(at) > 2*time.Second {
					t.Errorf("handler saw it after %v", s.at.Sub(at))
				}
			})
		}
	})
}

func TestCancelFailsTheBody(t *testing.T) {
	told := make(chan seen, 1)
	p := newPair(t, pairOptions{}, stubborn(told, true))
	ctx, cancel := context.WithCancel(within(t))
	r := post("")
	pr, pw := io.Pipe()
	r.Size, r.Body = -1, &interruptible{r: pr}
	x, err := p.client.Open(ctx, p.peer(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pw.Write([]byte("some")); err != nil {
		t.Fatal(err)
	}
	_, err = x.Wait(func(invoke.Progress) { cancel() })
	wantCode(t, err, invoke.CodeCancelled)
	s := <-told
	wantCode(t, s.body, invoke.CodeCancelled)
}

func TestDeadline(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		told := make(chan seen, 1)
		p := newPair(t, pairOptions{transport: transport}, stubborn(told, false))
		r := post("x")
		r.Deadline = 50 * time.Millisecond
		_, err := p.client.Invoke(within(t), p.peer(), r)
		wantCode(t, err, invoke.CodeDeadline)
		s := <-told
		wantCode(t, s.cause, invoke.CodeDeadline)
		if !errors.Is(s.cause, context.DeadlineExceeded) {
			t.Errorf("cause %v", s.cause)
		}
	})
}

// TestDeadlineOfTheContext: the earlier one counts, on both sides.
func TestDeadlineOfTheContext(t *testing.T) {
	told := make(chan seen, 1)
	left := make(chan time.Duration, 1)
	p := newPair(t, pairOptions{}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
		left <- c.Deadline
		return stubborn(told, false)(ctx, c)
	})
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	r := post("x")
	r.Deadline = time.Hour
	_, err := p.client.Invoke(ctx, p.peer(), r)
	wantCode(t, err, invoke.CodeDeadline)
	if d := <-left; d <= 0 || d > 101*time.Millisecond {
		t.Errorf("deadline %v arrived", d)
	}
	<-told
}

// TestDeadlineOfASilentPeer: the client does not wait for ever.
func TestDeadlineOfASilentPeer(t *testing.T) {
	p := newPair(t, pairOptions{}, echo)
	p.b.SetStreamHandler(invoke.ID, func(s network.Stream) { _, _ = io.Copy(io.Discard, s); _ = s.Reset() })
	r := post("x")
	r.Deadline = 20 * time.Millisecond
	_, err := p.client.Invoke(within(t), p.peer(), r)
	if e := wantCode(t, err, invoke.CodeDeadline); e.Remote {
		t.Errorf("error %+v", e)
	}
}

func TestDeadlineEndsWithTheAnswersHeader(t *testing.T) {
	p := newPair(t, pairOptions{}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
		c.Start()
		pr, pw := io.Pipe()
		go func() {
			for range 4 {
				time.Sleep(500 * time.Millisecond)
				_, _ = pw.Write([]byte("event\n"))
			}
			_ = pw.Close()
		}()
		return &invoke.Answer{Status: 200, Size: -1, Body: pr}, nil
	})
	r := post("x")
	r.Deadline = time.Second // much for the header, little for the body
	x, err := p.client.Open(within(t), p.peer(), r)
	if err != nil {
		t.Fatal(err)
	}
	a, err := x.Wait(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, a); got != "event\nevent\nevent\nevent\n" {
		t.Fatalf("answer %q", got)
	}
}

// TestCutAnswer has answers that break off: they never end with io.EOF.
func TestCutAnswer(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			pr, pw := io.Pipe()
			go func() {
				_, _ = pw.Write(pattern(100))
				_ = pw.CloseWithError(map[string]error{"eof": io.EOF, "error": errors.New("boom")}[c.Function])
			}()
			return &invoke.Answer{Status: 200, Size: c.Size, Body: pr}, nil
		})
		for _, size := range []int64{1 << 20, -1} {
			r := post("")
			r.Function, r.Size, r.Body = "error", size, io.LimitReader(&counter{}, 1<<20)
			a, err := p.client.Invoke(within(t), p.peer(), r)
			if err == nil {
				_, err = io.ReadAll(a.Body)
			}
			wantCodes(t, err, invoke.CodeCut, invoke.CodeFailed)
		}
		r := post("")
		r.Function, r.Size, r.Body = "eof", 1<<20, io.LimitReader(&counter{}, 1<<20)
		a, err := p.client.Invoke(within(t), p.peer(), r)
		if err == nil {
			_, err = io.ReadAll(a.Body)
		}
		wantCodes(t, err, invoke.CodeCut, invoke.CodeFailed)
	})
}

func wantCodes(t *testing.T, err error, codes ...invoke.Code) {
	t.Helper()
	var e *invoke.Error
	if errors.As(err, &e) {
		for _, code := range codes {
			if e.Code == code {
				return
			}
		}
	}
	t.Fatalf("error %v, want one of %v", err, codes)
}

// TestPeerDies closes the connection while the function runs, and while its
// answer is read.
func TestPeerDies(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		told := make(chan seen, 1)
		p := newPair(t, pairOptions{transport: transport}, stubborn(told, false))
		x, err := p.client.Open(within(t), p.peer(), post("x"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = x.Wait(func(invoke.Progress) { _ = p.b.Network().ClosePeer(p.a.ID()) })
		if wantCode(t, err, invoke.CodeUnknown); invoke.NotStarted(err) {
			t.Error("claims that it has not started")
		}
		<-told
	})
}

func TestPeerDiesInTheAnswer(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		p := newPair(t, pairOptions{transport: transport}, func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
			return &invoke.Answer{Status: 200, Size: -1, Body: &forever{}}, nil
		})
		a := mustInvoke(t, p, post("x"))
		_, err := io.CopyN(io.Discard, a.Body, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		_ = p.b.Network().ClosePeer(p.a.ID())
		_, err = io.Copy(io.Discard, a.Body)
		wantCode(t, err, invoke.CodeCut)
		_ = a.Body.Close()
	})
}

type forever struct{ counter }

func (*forever) Close() error { return nil }

// TestBodyClosedEarly: the handler hears that nobody reads.
func TestBodyClosedEarly(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		closed := make(chan struct{})
		p := newPair(t, pairOptions{transport: transport}, func(context.Context, *invoke.Call) (*invoke.Answer, error) {
			return &invoke.Answer{Status: 200, Size: -1, Body: &tellClose{closed: closed}}, nil
		})
		a := mustInvoke(t, p, post("x"))
		_, _ = io.CopyN(io.Discard, a.Body, 100)
		_ = a.Body.Close()
		if _, err := a.Body.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("read after close: %v", err)
		}
		<-closed
	})
}

type tellClose struct {
	counter
	closed chan struct{}
}

func (c *tellClose) Close() error {
	close(c.closed)
	return nil
}

func TestRequestBodyBreaksOff(t *testing.T) {
	overBoth(t, func(t *testing.T, transport string) {
		told, running := make(chan error, 1), make(chan struct{}, 1)
		p := newPair(t, pairOptions{transport: transport}, func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			running <- struct{}{}
			_, err := io.Copy(io.Discard, c.Body)
			told <- err
			return text(200, ""), err
		})
		boom := errors.New("boom")
		for _, size := range []int64{1 << 20, -1} {
			r := post("")
			r.Size, r.Body = size, io.MultiReader(io.LimitReader(&counter{}, 100<<10), errReader{boom, running})
			_, err := p.client.Invoke(within(t), p.peer(), r)
			wantCode(t, err, invoke.CodeCancelled)
			if !errors.Is(err, boom) {
				t.Errorf("error %v", err)
			}
			if err := <-told; err == nil {
				t.Error("the handler read the body as if it were whole")
			}
		}
	})
}

// errReader fails once it may.
type errReader struct {
	err error
	may <-chan struct{}
}

func (r errReader) Read([]byte) (int, error) {
	<-r.may
	return 0, r.err
}

func TestShutdown(t *testing.T) {
	told := make(chan seen, 1)
	p := newPair(t, pairOptions{}, stubborn(told, false))
	x, err := p.client.Open(within(t), p.peer(), post("x"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.Wait(func(invoke.Progress) { go func() { _ = p.server.Close() }() })
	wantCode(t, err, invoke.CodeShutdown)
	wantCode(t, (<-told).cause, invoke.CodeShutdown)

	_, err = p.client.Invoke(within(t), p.peer(), post("x"))
	if !invoke.NotStarted(err) {
		t.Errorf("error %v after the server closed, want one that promises that nothing ran", err)
	}
}

func TestNotReached(t *testing.T) {
	p := newPair(t, pairOptions{}, echo)
	other := newHost(t, "tcp")
	defer other.Close()
	_, err := p.client.Invoke(within(t), other.ID(), post("x"))
	if !errors.Is(err, invoke.ErrNotReached) || !invoke.NotStarted(err) {
		t.Errorf("unknown peer: %v", err)
	}
	connect(t, p.a, other)
	_, err = p.client.Invoke(within(t), other.ID(), post("x"))
	if !errors.Is(err, invoke.ErrNotReached) {
		t.Errorf("peer without the protocol: %v", err)
	}
}
