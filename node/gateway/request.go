package gateway

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
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
	v := newVisit(nil, w, r, began)
	if err := v.parse(prefix); err != nil {
		return nil, err
	}
	return &v.request, nil
}

func (v *visit) parse(prefix string) error {
	r := v.r
	escaped, rest := splitPath(r.URL.EscapedPath(), prefix)
	name, err := faas.ParseName(escaped)
	if err != nil {
		return badRequest("%v", err)
	}
	deadline, err := deadlineOf(r.Header)
	if err != nil {
		return err
	}
	taskType, priority, err := class(r.Header)
	if err != nil {
		return err
	}
	id, err := callID(first(r.Header, headerCallID))
	if err != nil {
		return err
	}
	v.request = invoke.Request{
		CallID: id, Function: name.String(), Method: r.Method, Path: rest, Query: r.URL.RawQuery,
		Host: r.Host, Size: r.ContentLength, Deadline: deadline,
		MayRepeat:   mayRepeat(r),
		TraceParent: first(r.Header, "Traceparent"), TraceState: first(r.Header, "Tracestate"),
		Upgrade:  upgradeOf(r.Header),
		Parent:   first(r.Header, HeaderParent),
		TaskType: taskType, Priority: priority,
		Header: v.header(),
	}
	v.takeBody()
	return nil
}

func (v *visit) takeBody() {
	req, r := &v.request, v.r
	if req.Upgrade != "" {
		req.Size = 0
	}
	if req.Size == 0 {
		return
	}
	v.body.body, v.body.of = r.Body, v.w
	req.Body = &v.body
	if req.Size < 0 { // with a known size there is none on the way
		req.Trailer = func() invoke.Header { return fields(nil, r.Trailer) }
	}
}

// header is the request's as the function gets it.
func (v *visit) header() invoke.Header {
	r := v.r
	return append(fields(v.fields[:0], r.Header),
		invoke.Field{Name: "X-Start-Time", Value: v.start},
		invoke.Field{Name: "X-Forwarded-For", Value: forwardedFor(r)},
		invoke.Field{Name: "X-Forwarded-Host", Value: cmp.Or(first(r.Header, "X-Forwarded-Host"), r.Host)},
	)
}

// first is the first value of a header under a canonical name, as all are that
// an HTTP server has read.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// requestBody is a request's body whose reading can be ended.
type requestBody struct {
	body  io.Reader
	of    http.ResponseWriter
	ended atomic.Bool
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err == io.EOF {
		b.ended.Store(true)
	}
	return n, err
}

// Limit bounds the time for reads from now on, 0 for no bound.
func (b *requestBody) Limit(d time.Duration) {
	var end time.Time
	if d > 0 {
		end = time.Now().Add(d)
	}
	_ = http.NewResponseController(b.of).SetReadDeadline(end)
}

// Interrupt implements [invoke.Interrupter]. The connection is not of use any
// more then: nobody knows how much of the body is still to come.
func (b *requestBody) Interrupt() {
	_ = http.NewResponseController(b.of).SetReadDeadline(time.Unix(1, 0))
}

func badRequest(format string, args ...any) error {
	return &invoke.Error{Code: invoke.CodeBadRequest, Text: fmt.Sprintf(format, args...)}
}

func deadlineOf(h http.Header) (time.Duration, error) {
	for _, name := range [...]string{HeaderDeadline, HeaderTimeout} {
		s := first(h, name)
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
	if s := first(h, HeaderTaskType); s != "" {
		if taskType, err = strconv.ParseFloat(s, 64); err != nil || math.IsNaN(taskType) || math.IsInf(taskType, 0) {
			return 0, 0, badRequest("header %s: %q is no number", HeaderTaskType, s)
		}
	}
	if s := first(h, headerPriority); s != "" {
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
	return first(r.Header, headerIdempotency) != ""
}

// upgradeOf is the protocol that an Upgrade asks for, "" if it does not.
func upgradeOf(h http.Header) string {
	if listed(h["Connection"], "upgrade") {
		return first(h, "Upgrade")
	}
	return ""
}

// fields appends end-to-end header fields to list: neither those that concern one
// connection only, nor those that the gateway has read, or sets itself.
func fields(list invoke.Header, h http.Header) invoke.Header {
	named := h["Connection"]
	for name, values := range h {
		if endsHere(name) || len(named) > 0 && listed(named, name) {
			continue
		}
		for _, v := range values {
			list = append(list, invoke.Field{Name: name, Value: v})
		}
	}
	return list
}

// endsHere tells whether the function does not get the field as the client sent it.
func endsHere(name string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade": // RFC 9110, section 7.6.1
		return true
	case "Expect", headerCallID, HeaderDeadline, HeaderTimeout, HeaderParent,
		HeaderTaskType, headerPriority, HeaderPolicy,
		"Traceparent", "Tracestate", "X-Start-Time", "X-Forwarded-For", "X-Forwarded-Host":
		return true
	}
	return false
}

// listed tells whether one of the lines, which are lists with commas, has name.
func listed(lines []string, name string) bool {
	for _, line := range lines {
		for one := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(textproto.TrimString(one), name) {
				return true
			}
		}
	}
	return false
}

func forwardedFor(r *http.Request) string {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	if before := r.Header["X-Forwarded-For"]; len(before) > 0 {
		return strings.Join(before, ", ") + ", " + client
	}
	return client
}
