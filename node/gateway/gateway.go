// Package gateway is the HTTP way in: it turns HTTP requests for
// /function/NAME into invocations, and their answers into HTTP answers.
//
// It knows no policy and no peer: an [Invoker] does the work. Bodies are
// streamed both ways, upgrades become raw bytes both ways, and an answer that
// breaks off is visibly cut, never ended cleanly.
package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	logging "github.com/ipfs/go-log/v2"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

var log = logging.Logger("p2pfaas/gateway")

// Invoker answers invocations. Errors are *invoke.Error. The answer's Body (or
// Conn) must be closed.
type Invoker interface {
	Invoke(ctx context.Context, r *invoke.Request, o Options) (*invoke.Answer, error)
}

// Options are what HTTP adds to an invocation.
type Options struct {
	// Expects: the client waits with the body until it is told to go on, which
	// the first read of the body does: nothing is read before it is decided
	// where the invocation goes.
	Expects bool
	// Policy names the policy that shall decide on this node; "" is the one in force.
	Policy string
	// Step, if not nil, is filled in with what a learner decided on this node. Its ID
	// stays 0 if none did.
	Step *sched.Step
}

// Gateway serves /function/NAME[.NAMESPACE][/PATH].
type Gateway struct {
	invoker Invoker
	self    string // this node's peer ID
	product string // for X-Served-By
	// Dialect, if set before serving, has answers told in the language of another
	// system to those who speak it.
	Dialect Dialect
	names   names
}

// Dialect is the language of another system's clients.
type Dialect interface {
	// Request translates a request's header in place, and tells whether it is to
	// be answered in the dialect.
	Request(h http.Header) bool
	// Answer adds headers to an answer that came by these hops, and by a learner's
	// step if its ID is not 0.
	Answer(request, h http.Header, hops []invoke.Hop, step *sched.Step)
	// Error is the whole answer to an invocation that failed, refused on purpose or not.
	Error(request http.Header, w http.ResponseWriter, e *invoke.Error, step *sched.Step, deliberate bool)
}

// New makes a Gateway of the node with that peer ID; product is what it calls
// itself in X-Served-By.
func New(invoker Invoker, self, product string) *Gateway {
	return &Gateway{invoker: invoker, self: self, product: product}
}

// Prefix is where functions are served.
const Prefix = "/function/"

// ServeHTTP implements http.Handler for paths below [Prefix].
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := newVisit(g, w, r, time.Now())
	if duplex(r) {
		// Without it an HTTP/1 server stops reading the request once it answers.
		// HTTP/2 needs it not, and says so with an error.
		_ = http.NewResponseController(w).EnableFullDuplex()
		defer drain(w, r)
	}
	if g.Dialect != nil && g.Dialect.Request(r.Header) {
		v.step = new(sched.Step)
	}
	answer, err := v.invoke()
	switch {
	case err == nil:
		v.closeUnlessRead()
		if v.step != nil {
			g.Dialect.Answer(r.Header, w.Header(), answer.Hops, v.step)
		}
		v.write(answer)
	case v.step != nil:
		v.foreignError(err)
	default:
		v.writeError(err)
	}
}

// visit is one request and its answer, in one piece of memory.
type visit struct {
	*Gateway
	w     http.ResponseWriter
	r     *http.Request
	began time.Time
	start string      // began, as it is told
	step  *sched.Step // nil unless it is answered in the dialect

	request invoke.Request
	body    requestBody
	caller  caller
	fields  [12]invoke.Field // memory of the request's header
	values  [16]string       // memory of the answer's
}

func newVisit(g *Gateway, w http.ResponseWriter, r *http.Request, began time.Time) *visit {
	return &visit{Gateway: g, w: w, r: r, began: began, start: strconv.FormatInt(began.UnixNano(), 10)}
}

// invoke has the request answered.
func (v *visit) invoke() (*invoke.Answer, error) {
	if err := v.parse(Prefix); err != nil {
		return nil, err
	}
	if v.looped(v.r.Header) {
		return nil, &invoke.Error{Code: invoke.CodeLoop, Text: "the request has been through this node already, says its header Via"}
	}
	o := Options{Expects: first(v.r.Header, "Expect") != "", Policy: strings.Clone(first(v.r.Header, HeaderPolicy)), Step: v.step}
	return v.invoker.Invoke(v.caller.of(v.r), &v.request, o)
}

// duplex tells whether the answer may have to begin while the request is still
// being read. Small bodies are read before.
func duplex(r *http.Request) bool { return r.ContentLength < 0 || r.ContentLength > SmallBody }

// SmallBody is the size up to which an [Invoker] may read a body whole before
// anything else, in bytes.
const SmallBody = 64 << 10

// drainTime is how long a client may take to send what nobody wants any more.
const drainTime = 500 * time.Millisecond

// drain reads the rest of a body as far as it is small. With full duplex the
// server must not find the body's end after the handler has returned: it would
// then read from the connection at the same time as for the next request.
func drain(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Expect") != "" {
		return // it would be told to send
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(drainTime))
	if _, err := io.CopyN(io.Discard, r.Body, invoke.FirstWindow); errors.Is(err, io.EOF) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
}

// closeUnlessRead has the connection closed after an answer that comes before
// the whole request: what is still to come must not be taken for a new request.
func (v *visit) closeUnlessRead() {
	if v.request.Body != nil && duplex(v.r) && !v.body.ended.Load() {
		v.w.Header().Set("Connection", "close")
	}
}

// splitPath takes apart "/function/NAME/rest"; rest keeps its escapes.
func splitPath(escaped, prefix string) (name, rest string) {
	name = strings.TrimPrefix(escaped, prefix)
	if i := strings.IndexByte(name, '/'); i >= 0 {
		name, rest = name[:i], name[i:]
	}
	return name, rest
}
