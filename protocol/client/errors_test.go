package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestErrorKinds(t *testing.T) {
	for code, want := range map[invoke.Code]error{
		invoke.CodeRefused:      ErrRefused,
		invoke.CodeExpired:      ErrDeadline,
		invoke.CodeNoFunction:   ErrNoFunction,
		invoke.CodeDraining:     ErrRefused,
		invoke.CodeDenied:       ErrDenied,
		invoke.CodeLoop:         ErrRefused,
		invoke.CodeTakenBack:    ErrRefused,
		invoke.CodeBadRequest:   ErrBadRequest,
		invoke.CodeWrongVersion: ErrNoFunction,
		invoke.CodeUnavailable:  ErrUnavailable,
		0x20ff:                  ErrRefused, // of a later version: not started
		invoke.CodeCancelled:    ErrCancelled,
		invoke.CodeDeadline:     ErrDeadline,
		invoke.CodeCut:          ErrTruncated,
		invoke.CodeUnknown:      ErrUnknownOutcome,
		invoke.CodeFailed:       ErrFailed,
		invoke.CodeProtocol:     ErrUnknownOutcome,
		invoke.CodeShutdown:     ErrUnknownOutcome,
		0x21ff:                  ErrUnknownOutcome,
	} {
		e := failure(t.Context(), "p", fmt.Errorf("wait: %w", &invoke.Error{Code: code, Text: "why", RetryAfter: time.Second, Err: io.ErrUnexpectedEOF}))
		if !errors.Is(e, want) || e.NotStarted != code.NotStarted() || e.Text != "why" || e.RetryAfter != time.Second || e.Code != code {
			t.Errorf("%v: %+v, want %v", code, e, want)
		}
		if !errors.Is(e, io.ErrUnexpectedEOF) {
			t.Errorf("%v: the cause is lost", code)
		}
	}
	if e := failure(t.Context(), "p", fmt.Errorf("dial: %w", invoke.ErrNotReached)); !errors.Is(e, ErrNotReached) || !e.NotStarted {
		t.Errorf("%+v", e)
	}
	if e := failure(t.Context(), "p", io.ErrClosedPipe); !errors.Is(e, ErrUnknownOutcome) || e.NotStarted || !strings.Contains(e.Error(), "may have run") {
		t.Errorf("%+v", e)
	}
}

func TestErrorOfEndedContext(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, end := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer end()
	reset := &invoke.Error{Code: invoke.CodeShutdown}
	if e := failure(cancelled, "p", reset); !errors.Is(e, ErrCancelled) || !errors.Is(e, context.Canceled) || errors.Is(e, ErrDeadline) {
		t.Errorf("%v", e)
	}
	if e := failure(late, "p", reset); !errors.Is(e, ErrDeadline) || !errors.Is(e, context.DeadlineExceeded) || errors.Is(e, ErrCancelled) {
		t.Errorf("%v", e)
	}
}

func TestGraver(t *testing.T) {
	refused := &Error{Kind: ErrRefused, NotStarted: true}
	notReached := &Error{Kind: ErrNotReached, NotStarted: true}
	unknown := &Error{Kind: ErrUnknownOutcome}
	for _, row := range []struct{ a, b, want *Error }{
		{nil, refused, refused},
		{refused, notReached, refused},
		{notReached, refused, refused},
		{unknown, refused, unknown},
		{refused, unknown, unknown},
		{unknown, notReached, unknown},
		{notReached, unknown, unknown},
	} {
		if got := graver(row.a, row.b); got != row.want {
			t.Errorf("%v then %v: %v", row.a, row.b, got)
		}
	}
}

func TestErrorText(t *testing.T) {
	e := &Error{Kind: ErrRefused, Node: "12D3", Text: "queue full", RetryAfter: 2 * time.Second, Hint: "add nodes"}
	if got, want := e.Error(), "refused (node 12D3): queue full; retry after 2s; add nodes"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
