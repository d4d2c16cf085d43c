package gateway

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Request headers that the gateway reads.
const (
	headerCallID      = "X-Call-Id"
	headerIdempotency = "Idempotency-Key"

	headerPriority = "X-P2pfaas-Priority" // higher is served first

	// HeaderDeadline is how long the invocation may take, a Go duration, and
	// HeaderTimeout the same under OpenFaaS's name.
	HeaderDeadline = "X-P2pfaas-Deadline"
	HeaderTimeout  = "X-Timeout"
	// HeaderTaskType is a number for policies that tell classes apart.
	HeaderTaskType = "X-P2pfaas-Task-Type"
	// HeaderPolicy names the policy that decides on this invocation, at the node
	// where it enters the mesh, instead of the one in force there.
	HeaderPolicy = "X-P2pfaas-Policy"
	// HeaderParent names the invocation within which a call is made; functions get
	// it, and pass it on with their inner calls.
	HeaderParent = "X-P2pfaas-Parent"
)

// maxDeadline bounds the deadline that a client gives.
const maxDeadline = 30 * 24 * time.Hour

// maxCallID bounds a call ID that a client gives, in bytes.
const maxCallID = 128

// Parse makes an invocation of an HTTP request for a path below prefix; began is
// when it came. Its errors are *invoke.Error.
func Parse(w http.ResponseWriter, r *http.Request, prefix string, began time.Time) (*invoke.Request, error) {
	escaped, rest := splitPath(r.URL.EscapedPath(), prefix)
	name, err := faas.ParseName(escaped)
	if err != nil {
		return nil, badRequest("%v", err)
	}
	deadline, err := deadlineOf(r.Header)
	if err != nil {
		return nil, err
	}
	id, err := callID(r.Header.Get(headerCallID))
	if err != nil {
		return nil, err
	}
	req := &invoke.Request{
		CallID: id, Function: name.String(), Method: r.Method, Path: rest, Query: r.URL.RawQuery,
		Host: r.Host, Size: r.ContentLength, Deadline: deadline,
		MayRepeat:   mayRepeat(r),
		TraceParent: r.Header.Get("Traceparent"), TraceState: r.Header.Get("Tracestate"),
		Upgrade: upgradeOf(r.Header),
		Parent:  r.Header.Get(HeaderParent),
	}
	if req.TaskType, req.Priority, err = class(r.Header); err != nil {
		return nil, err
	}
	if req.Upgrade != "" {
		req.Size = 0
	}
	if req.Size != 0 {
		req.Body = &requestBody{body: r.Body, control: http.NewResponseController(w)}
		if req.Size < 0 { // with a known size there is none on the way
			req.Trailer = func() invoke.Header { return fields(r.Trailer, nil) }
		}
	}
	req.Header = fields(r.Header, dropped)
	req.Header = append(req.Header,
		invoke.Field{Name: "X-Start-Time", Value: strconv.FormatInt(began.UTC().UnixNano(), 10)},
		invoke.Field{Name: "X-Forwarded-For", Value: forwardedFor(r)},
		invoke.Field{Name: "X-Forwarded-Host", Value: cmp.Or(r.Header.Get("X-Forwarded-Host"), r.Host)},
	)
	return req, nil
}

// requestBody is a request's body whose reading can be ended.
type requestBody struct {
	body    io.Reader
	control *http.ResponseController
	ended   atomic.Bool
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if errors.Is(err, io.EOF) {
		b.ended.Store(true)
	}
	return n, err
}

// Interrupt implements [invoke.Interrupter]. The connection is not of use any
// more then: nobody knows how much of the body is still to come.
func (b *requestBody) Interrupt() { _ = b.control.SetReadDeadline(time.Unix(1, 0)) }

func badRequest(format string, args ...any) error {
	return &invoke.Error{Code: invoke.CodeBadRequest, Text: fmt.Sprintf(format, args...)}
}

func deadlineOf(h http.Header) (time.Duration, error) {
	for _, name := range []string{HeaderDeadline, HeaderTimeout} {
		s := h.Get(name)
		if s == "" {
			continue
		}
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 || d > maxDeadline {
			return 0, badRequest("header %s: %q is no duration above 0 and up to %v, such as 250ms or 2s", name, s, maxDeadline)
		}
		return d, nil
	}
	return 0, nil
}

// maxPriority bounds what a client gives, both ways.
const maxPriority = 1000

// class is what the client says of the invocation's kind.
func class(h http.Header) (taskType float64, priority int, err error) {
	if s := h.Get(HeaderTaskType); s != "" {
		if taskType, err = strconv.ParseFloat(s, 64); err != nil || math.IsNaN(taskType) || math.IsInf(taskType, 0) {
			return 0, 0, badRequest("header %s: %q is no number", HeaderTaskType, s)
		}
	}
	if s := h.Get(headerPriority); s != "" {
		if priority, err = strconv.Atoi(s); err != nil || priority < -maxPriority || priority > maxPriority {
			return 0, 0, badRequest("header %s: %q is no whole number from %d to %d", headerPriority, s, -maxPriority, maxPriority)
		}
	}
	return taskType, priority, nil
}

// callID is the caller's own, or a new one.
func callID(given string) (string, error) {
	if given == "" {
		return NewCallID(), nil
	}
	if len(given) > maxCallID {
		return "", badRequest("header %s is %d bytes long; %d are the most", headerCallID, len(given), maxCallID)
	}
	return given, nil
}

// NewCallID makes a call ID: 32 hexadecimal digits, random.
func NewCallID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}

// Via is how a node names itself in the header Via of requests to functions.
func Via(self string) string { return "1.1 " + self }

// looped tells whether the request has come from a function that this node
// called, and that passes on what it gets.
func (g *Gateway) looped(h http.Header) bool {
	for _, line := range h["Via"] {
		if strings.Contains(line, g.self) {
			return true
		}
	}
	return false
}

// mayRepeat tells whether the caller allows that the function runs twice.
func mayRepeat(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return r.Header.Get(headerIdempotency) != ""
}

// upgradeOf is the protocol that an Upgrade asks for, "" if it does not.
func upgradeOf(h http.Header) string {
	for _, line := range h["Connection"] {
		for option := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(textproto.TrimString(option), "upgrade") {
				return h.Get("Upgrade")
			}
		}
	}
	return ""
}

// dropped are request headers that end here: the gateway has read them, or
// sets them itself.
var dropped = map[string]bool{
	"Expect": true, headerCallID: true, HeaderDeadline: true, HeaderTimeout: true, HeaderParent: true,
	HeaderTaskType: true, headerPriority: true, HeaderPolicy: true,
	"Traceparent": true, "Tracestate": true, "X-Start-Time": true, "X-Forwarded-For": true, "X-Forwarded-Host": true,
}

// fields lists end-to-end header fields, without those to skip.
func fields(h http.Header, skip map[string]bool) invoke.Header {
	list := make(faas.Header, 0, len(h)+4)
	for name, values := range h {
		if skip[name] {
			continue
		}
		for _, v := range values {
			list = append(list, faas.Field{Name: name, Value: v})
		}
	}
	list.DropHopByHop()
	return invoke.Header(list)
}

func forwardedFor(r *http.Request) string {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	if before := r.Header.Values("X-Forwarded-For"); len(before) > 0 {
		return strings.Join(before, ", ") + ", " + client
	}
	return client
}
