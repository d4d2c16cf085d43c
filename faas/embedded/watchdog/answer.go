package watchdog

import (
	"errors"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
)

const (
	// HoldBack is how much output is kept before the answer's header is sent.
	HoldBack = 64 << 10
	// ExitTrailer says in an answer's trailer how the function failed.
	ExitTrailer = "X-Exit-Status"
	// TimeoutText is the answer, with status 408, of a function whose
	// exec_timeout passed.
	TimeoutText = "Killed process.\n"
)

// Why a function was ended from outside.
var (
	ErrTimeout = errors.New("exec_timeout passed")
	ErrRemoved = errors.New("function was removed")
	// ErrSlowBody: the answer is status 400 with its text.
	ErrSlowBody = errors.New("read_timeout passed before the request's body had arrived")
)

// ContentType returns the answer's media type, and whether the answer is passed
// on as it is written: an event stream is. It is the one that is configured, else
// the event stream that the request accepts, else the request's own.
func ContentType(configured string, request faas.Header) (contentType string, streams bool) {
	if configured != "" {
		return configured, eventType(configured) != ""
	}
	if t := eventType(request.Get("Accept")); t != "" {
		return t, true
	}
	return request.Get("Content-Type"), false
}

// eventType is the media type of an event stream that s names, "" if none.
func eventType(s string) string {
	for _, t := range []string{"text/event-stream", "application/x-ndjson"} {
		if strings.Contains(strings.ToLower(s), t) {
			return t
		}
	}
	return ""
}
