package gateway

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// statusClosed is what the log says of a call whose caller went away; nobody
// is there to read it.
const statusClosed = 499

// told is how a code is told over HTTP.
type told struct {
	status int
	hint   string
	// platform marks errors of the platform, as opposed to the function's own.
	platform bool
}

func tell(c invoke.Code) told {
	switch c {
	case invoke.CodeRefused:
		return told{http.StatusTooManyRequests, "try again after Retry-After, or add nodes", true}
	case invoke.CodeDraining, invoke.CodeUnavailable:
		return told{http.StatusServiceUnavailable, "try again after Retry-After, or ask another node", true}
	case invoke.CodeNoFunction:
		return told{http.StatusNotFound, "see p2pfaas-node functions", false}
	case invoke.CodeWrongVersion:
		return told{http.StatusConflict, "deploy the same version on both nodes", true}
	case invoke.CodeExpired, invoke.CodeDeadline:
		return told{http.StatusGatewayTimeout, "allow more time with the header " + HeaderDeadline, true}
	case invoke.CodeLoop:
		return told{http.StatusLoopDetected, "", true}
	case invoke.CodeDenied:
		return told{http.StatusForbidden, "", true}
	case invoke.CodeBadRequest:
		return told{http.StatusBadRequest, "", false}
	case invoke.CodeCancelled, invoke.CodeTakenBack:
		return told{statusClosed, "", true}
	case invoke.CodeUnknown, invoke.CodeShutdown:
		return told{http.StatusBadGateway, "send " + headerIdempotency + " if it may run twice; p2pfaas-node why CALL-ID tells more", true}
	case invoke.CodeFailed:
		return told{http.StatusBadGateway, "p2pfaas-node why CALL-ID tells where it ran", true}
	}
	return told{http.StatusBadGateway, "", true}
}

// Status is the HTTP status by which an invocation that has no answer is told.
func Status(c invoke.Code) int { return tell(c).status }

// writeError tells what became of an invocation that has no answer.
func (v *visit) writeError(err error) {
	e := invocationError(err)
	t := tell(e.Code)
	h := v.w.Header()
	fill := v.filler(0)
	v.stamp(&fill, e.Hops)
	if e.RetryAfter > 0 || t.status == http.StatusTooManyRequests || t.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(e.RetryAfter.Seconds())))))
	}
	if t.platform {
		h.Set("X-OpenFaaS-Internal", "p2pfaas")
	}
	outcome := "failed"
	if e.Code == invoke.CodeUnknown || e.Code == invoke.CodeShutdown {
		outcome = "unknown"
	} else if e.Code.NotStarted() {
		outcome = "not-started"
	}
	h.Set("X-P2pfaas-Outcome", outcome)
	if duplex(v.r) {
		h.Set("Connection", "close") // rather than read the rest of a large body first
	}
	api.Error(v.w, v.r, t.status, codeName(e.Code), text(e), t.hint)
}

func invocationError(err error) *invoke.Error {
	var e *invoke.Error
	if !errors.As(err, &e) {
		e = &invoke.Error{Code: invoke.CodeUnknown, Text: err.Error()}
	}
	return e
}

// foreignError tells it in the dialect.
func (v *visit) foreignError(err error) {
	e := invocationError(err)
	h := v.w.Header()
	if v.request.CallID != "" {
		h.Set(headerCallID, v.request.CallID)
	}
	if duplex(v.r) {
		h.Set("Connection", "close")
	}
	v.Dialect.Error(v.r.Header, v.w, e, v.step, len(e.Hops) > 0 && deliberate(sched.Reason(e.Hops[len(e.Hops)-1].Reason)))
}

// deliberate tells whether a refusal for that reason has nothing to do with the load.
func deliberate(why sched.Reason) bool {
	switch why {
	case sched.ReasonAlways, sched.ReasonAdvised, sched.ReasonLearned, sched.ReasonExplores:
		return true
	}
	return false
}

// text is what people read: what the node that knows best said, else what the
// code means. Causes from sockets are for the log and for why.
func text(e *invoke.Error) string {
	if e.Text != "" {
		return e.Text
	}
	switch e.Code {
	case invoke.CodeUnknown:
		return "the node that had it is gone, and nobody knows whether it ran"
	case invoke.CodeShutdown:
		return "the node that had it was shut down, and nobody knows whether it ran"
	case invoke.CodeDeadline:
		return "no answer within the deadline"
	}
	return e.Code.String()
}

func codeName(c invoke.Code) string {
	switch c {
	case invoke.CodeRefused:
		return "refused"
	case invoke.CodeDraining:
		return "draining"
	case invoke.CodeUnavailable:
		return "unavailable"
	case invoke.CodeNoFunction:
		return "no_function"
	case invoke.CodeWrongVersion:
		return "wrong_version"
	case invoke.CodeExpired:
		return "expired"
	case invoke.CodeDeadline:
		return "deadline"
	case invoke.CodeLoop:
		return "loop"
	case invoke.CodeDenied:
		return "denied"
	case invoke.CodeBadRequest:
		return "bad_request"
	case invoke.CodeUnknown, invoke.CodeShutdown:
		return "unknown_outcome"
	}
	return "failed"
}
