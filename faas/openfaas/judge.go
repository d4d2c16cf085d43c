package openfaas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/faas/api"
)

// Errors of the platform behind the gateway.
var (
	errTimedOut = errors.New("gateway answers 502: the function was not reached or took longer than the gateway allows; it may have run")
	errBroken   = errors.New("gateway could not get the function's answer; it may have run")
	errLimit    = errors.New("the function has as many invocations as it takes at once (max_inflight)")
)

// judge tells the answers of functions from those of the platform. The former
// are passed on as they are; the latter become errors. It closes what it does
// not return.
func (rt *Runtime) judge(ctx context.Context, r *faas.Request, resp *faas.Response) (*faas.Response, error) {
	err := rt.verdict(ctx, r, resp)
	if err != nil {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("invoke %s: %w", r.Name, err)
	}
	return resp, nil
}

// verdict is nil for an answer of the function.
func (rt *Runtime) verdict(ctx context.Context, r *faas.Request, resp *faas.Response) error {
	internal := resp.Header.Get(api.InternalHeader)
	switch resp.Status {
	case 404:
		if r.Method == "HEAD" && plainText(resp) { // has no text to tell by
			return rt.confirm(ctx, r.Name, nil)
		}
		if notFoundText(r.Name, resp) {
			return rt.confirm(ctx, r.Name, errors.New("gateway says that there is no such function, and then that there is"))
		}
	case 429:
		if internal == "of-watchdog" {
			return fmt.Errorf("%w: %w", faas.ErrNotStarted, errLimit)
		}
	case 500:
		if internal == "proxy" {
			return errBroken
		}
	case 502:
		if internal != "" || silent(resp) {
			rt.nudged()
			return errTimedOut
		}
	case 503:
		if internal == "proxy" {
			return rt.confirm(ctx, r.Name, errors.New("provider knows no place where the function runs"))
		}
	}
	return nil
}

// silent is how a gateway answers 502: with nothing that a function, or the
// watchdog before it, would say.
func silent(resp *faas.Response) bool {
	return resp.Size == 0 && !resp.Header.Has("Content-Type") && !resp.Header.Has("X-Duration-Seconds")
}

func plainText(resp *faas.Response) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") && !resp.Header.Has("X-Duration-Seconds")
}

// confirm asks whether a function exists that the gateway would not invoke.
// otherwise is the reason if it does.
func (rt *Runtime) confirm(ctx context.Context, name faas.Name, otherwise error) error {
	_, err := rt.ask(ctx, name)
	switch {
	case errors.Is(err, faas.ErrNotFound):
		return fmt.Errorf("%w: %w", faas.ErrNotStarted, faas.ErrNotFound)
	case err != nil && ctx.Err() == nil:
		return fmt.Errorf("%w: %w: %w", faas.ErrNotStarted, faas.ErrUnavailable, err)
	case err == nil && otherwise != nil:
		return fmt.Errorf("%w: %w: %w", faas.ErrNotStarted, faas.ErrUnavailable, otherwise)
	}
	return err
}

// notFoundText tells whether an answer is the gateway's "error finding function
// NAME.NAMESPACE: …". It reads no further than it must to know, and puts back
// what it has read.
func notFoundText(name faas.Name, resp *faas.Response) bool {
	if !plainText(resp) {
		return false
	}
	want := "error finding function " + name.Function
	got := make([]byte, 0, len(want)+1)
	for len(got) < cap(got) {
		n, err := resp.Body.Read(got[len(got):cap(got)])
		got = got[:len(got)+n]
		if err != nil || !strings.HasPrefix(want, string(got[:min(len(got), len(want))])) {
			break
		}
	}
	resp.Body = &readAgain{front: got, ReadCloser: resp.Body}
	last := len(got) - 1
	return last == len(want) && string(got[:last]) == want && strings.ContainsRune(".: ", rune(got[last]))
}

// readAgain is a body of which the front has been read.
type readAgain struct {
	front []byte
	io.ReadCloser
}

func (b *readAgain) Read(p []byte) (int, error) {
	if len(b.front) == 0 {
		return b.ReadCloser.Read(p)
	}
	n := copy(p, b.front)
	b.front = b.front[n:]
	return n, nil
}

// Buffered is how much can be read without waiting, as far as that is known.
func (b *readAgain) Buffered() int {
	if k, ok := b.ReadCloser.(interface{ Buffered() int }); ok {
		return len(b.front) + k.Buffered()
	}
	return len(b.front)
}
