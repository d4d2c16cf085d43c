package async

import (
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// check says what is wrong with a call, before it is sent and after it was
// received: what passes can be written into an HTTP request as it is. Errors
// wrap ErrBadRequest.
func (c *Call) check() error {
	switch {
	case checkID(c.ID) != nil:
		return checkID(c.ID)
	case c.Function == "" || !isWord(c.Function):
		return bad("%.40q is no name of a function", c.Function)
	case !httpguts.ValidHeaderFieldName(c.Method) || len(c.Method) > maxWord:
		return bad("%.40q is no HTTP method", c.Method)
	case c.Path != "" && c.Path[0] != '/' || hasControl(c.Path):
		return bad("path %.80q: want one that is escaped and begins with /, or none", c.Path)
	case hasControl(c.Query):
		return bad("query %.80q: want one without spaces and control characters", c.Query)
	case !isWord(c.Host):
		return bad("host %.80q: want at most %d bytes without control characters", c.Host, maxWord)
	case len(c.Callback) > MaxCallback || hasControl(c.Callback):
		return bad("callback %.80q: want at most %d bytes without spaces and control characters", c.Callback, MaxCallback)
	case c.Size < -1:
		return bad("the body's size is out of range")
	}
	return checkHeader(c.Header)
}

func checkID(id string) error {
	if id == "" || len(id) > MaxID {
		return bad("call ID of %d bytes, want 1 to %d", len(id), MaxID)
	}
	return nil
}

// check says what else than its call is wrong with a status. Errors wrap
// ErrBadReply.
func (s *Status) check() error {
	if err := checkHeader(s.ResultHeader); err != nil {
		return badReply(err)
	}
	switch {
	case s.State == "":
		return fmt.Errorf("%w: a call without a known state", ErrBadReply)
	case s.Code > 999 || s.Result && s.Code < 200:
		return fmt.Errorf("%w: %d is no HTTP status", ErrBadReply, s.Code)
	case s.ResultSize < -1:
		return fmt.Errorf("%w: the answer's size is out of range", ErrBadReply)
	}
	return nil
}

func checkHeader(h invoke.Header) error {
	if len(h) > maxFields {
		return bad("%d header fields, at most %d are allowed", len(h), maxFields)
	}
	for i := range h {
		if len(h[i].Name) > maxWord || !httpguts.ValidHeaderFieldName(h[i].Name) {
			return bad("%.80q is no name of a header field", h[i].Name)
		}
		if !httpguts.ValidHeaderFieldValue(h[i].Value) {
			return bad("header field %.80q: its value has control characters", h[i].Name)
		}
	}
	return nil
}

func isWord(s string) bool { return len(s) <= maxWord && httpguts.ValidHeaderFieldValue(s) }

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBadRequest, fmt.Sprintf(format, args...))
}

// badReply is err of a part of a reply: it is not the asker's request that is bad.
func badReply(err error) error { return fmt.Errorf("%w: %v", ErrBadReply, err) }
