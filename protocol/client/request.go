package client

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Request is one invocation.
type Request struct {
	// Function is name[.namespace].
	Function string
	// Method is POST if empty.
	Method string
	// Path is the escaped path that the function sees: empty, or begins with "/".
	Path string
	// Query is the raw query, as url.Values.Encode gives it.
	Query string
	// Host is the Host field that the function sees. May be empty.
	Host string
	// Header has end-to-end fields; those that concern one connection only
	// (Connection, Transfer-Encoding, …) are not sent. X-Call-Id names the
	// invocation; without it the client makes a name.
	Header http.Header
	// Body is read until EOF and never closed. It is still read after Invoke has
	// returned an answer that came early, until the answer's Body is closed. Nil
	// means none.
	Body io.Reader
	// Size is the body's length in bytes. 0 and -1 mean that it is not told: it
	// is found out for *bytes.Buffer, *bytes.Reader and *strings.Reader, and
	// unknown for others, which are sent in chunks.
	Size int64
	// Idempotent: it may run twice.
	Idempotent bool
	// Deadline bounds the whole invocation, the answer's body included. 0 means
	// as long as the context allows; without that too, the mesh's default.
	Deadline time.Duration
	// Parent is the field X-P2pfaas-Parent that a function got, for invocations
	// that it makes in turn: they then share its deadline and its place.
	Parent string
}

// call is a Request on its way, and what becomes of it: one piece of memory, as
// each is needed for one invocation.
type call struct {
	wire      invoke.Request // as sent in the first attempt
	body      *replay        // nil: none
	kept      replay         // what body points to
	mayRepeat bool
	attempts  int

	reply    reply
	ran      string // the node that ran it
	response Response
	answer   answerBody

	fields [4]invoke.Field // memory of the request's header
	values [4]string       // and of the answer's
}

func newCall(r *Request, policy Retry, ids *ids) (*call, error) {
	c := &call{mayRepeat: policy.mayRepeat(r)}
	size, err := bodySize(r)
	if err != nil {
		return nil, &Error{Kind: ErrBadRequest, NotStarted: true, Text: err.Error()}
	}
	rewindable := false
	if size != 0 {
		c.body = c.kept.of(r.Body)
		rewindable = c.body.seeker != nil
	}
	c.wire = invoke.Request{
		CallID:     r.Header.Get("X-Call-Id"),
		Function:   r.Function,
		Method:     cmp.Or(r.Method, http.MethodPost),
		Path:       r.Path,
		Query:      r.Query,
		Host:       r.Host,
		Header:     toWire(c.fields[:0], r.Header),
		Size:       size,
		Parent:     r.Parent,
		MayRepeat:  c.mayRepeat,
		Rewindable: rewindable,
	}
	if c.wire.CallID == "" {
		c.wire.CallID = ids.next()
	}
	return c, nil
}

// bodySize is the length of r's body, -1 if it is unknown.
func bodySize(r *Request) (int64, error) {
	switch {
	case r.Function == "":
		return 0, fmt.Errorf("the function's name is missing")
	case r.Path != "" && !strings.HasPrefix(r.Path, "/"):
		return 0, fmt.Errorf("path %q does not begin with a slash", r.Path)
	case r.Body == nil && r.Size > 0:
		return 0, fmt.Errorf("a size of %d bytes and no body", r.Size)
	case r.Body == nil || r.Body == http.NoBody:
		return 0, nil
	case r.Size > 0:
		return r.Size, nil
	}
	switch b := r.Body.(type) {
	case *bytes.Buffer:
		return int64(b.Len()), nil
	case *bytes.Reader:
		return int64(b.Len()), nil
	case *strings.Reader:
		return int64(b.Len()), nil
	}
	return -1, nil
}

// next is what to send in the next attempt.
func (c *call) next(ctx context.Context) *invoke.Request {
	c.attempts++
	r := &c.wire
	if c.attempts > 1 {
		again := *r // the first attempt's may still be looked at
		r = &again
	}
	if c.body != nil {
		r.Body = c.body
	}
	if end, ok := ctx.Deadline(); ok {
		r.Deadline = max(time.Until(end), time.Millisecond)
	}
	return r
}

// rewind makes the body ready to be sent again, or returns false.
func (c *call) rewind() bool { return c.body == nil || c.body.rewind() }
