package invoke

import (
	"fmt"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/net/http/httpguts"
)

const maxWord = 1024 // bytes of a call ID, function, host or trace context

// check says what is wrong with a request, before it is sent and after it was
// received: what passes can be written into an HTTP request as it is.
func (r *Request) check() *Error {
	switch {
	case r.Function == "":
		return bad("the request names no function")
	case !isToken(r.Method):
		return bad("%.40q is no HTTP method", r.Method)
	case r.Path != "" && r.Path[0] != '/' || hasControl(r.Path):
		return bad("path %.80q: want one that is escaped and begins with /, or none", r.Path)
	case hasControl(r.Query):
		return bad("query %.80q: want one without spaces and control characters", r.Query)
	case r.Upgrade != "" && r.Size != 0:
		return bad("a request to upgrade to %.40q has a body: it must have none", r.Upgrade)
	}
	if e := r.checkWords(); e != nil {
		return e
	}
	if len(r.Fingerprint) > maxFingerprint {
		return bad("fingerprint of %d bytes, at most %d are allowed", len(r.Fingerprint), maxFingerprint)
	}
	return checkHeader(r.Header)
}

func (r *Request) checkWords() *Error {
	words := [...]string{r.CallID, r.Function, r.Host, r.Parent, r.TraceParent, r.TraceState, r.Upgrade}
	for _, w := range words {
		if len(w) > maxWord || !httpguts.ValidHeaderFieldValue(w) {
			return bad("%.80q: want at most %d bytes without control characters", w, maxWord)
		}
	}
	return nil
}

// checkHops refuses what has been here before, or on too many nodes.
func (r *Request) checkHops(self peer.ID) *Error {
	if len(r.Hops) > maxHops {
		return &Error{Code: CodeLoop, Text: fmt.Sprintf("the invocation has passed more than %d nodes", maxHops)}
	}
	if slices.Contains(r.Hops, self) {
		return &Error{Code: CodeLoop, Text: "the invocation has passed this node before"}
	}
	return nil
}

func checkHeader(h Header) *Error {
	if len(h) > maxFields {
		return bad("%d header fields, at most %d are allowed", len(h), maxFields)
	}
	for i := range h {
		if !isToken(h[i].Name) {
			return bad("%.80q is no name of a header field", h[i].Name)
		}
		if !httpguts.ValidHeaderFieldValue(h[i].Value) {
			return bad("header field %.80q: its value has control characters", h[i].Name)
		}
	}
	return nil
}

func isToken(s string) bool { return len(s) <= maxWord && httpguts.ValidHeaderFieldName(s) }

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func bad(format string, args ...any) *Error {
	return &Error{Code: CodeBadRequest, Text: fmt.Sprintf(format, args...)}
}
