package compat

import (
	"encoding/json"
	"net/http"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// P2PFaaS's error codes, and below the HTTP status of each.
const (
	codeGeneric     = 1
	codeNotFound    = 3
	codeInput       = 4
	codeFunction    = 5   // the function could not be called
	codeUnscheduled = 400 // no room: its clients count it as dropped
	codeRejected    = 401 // refused on purpose
	codeUnforwarded = 403
)

// reply is the JSON body of an error.
type reply struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error tells what became of an invocation without an answer. deliberate says
// that the policy refuses whatever the load.
func (d *Dialect) Error(request http.Header, w http.ResponseWriter, e *invoke.Error, step *sched.Step, deliberate bool) {
	d.Answer(request, w.Header(), e.Hops, step)
	write(w, codeOf(e.Code, deliberate), e.Error())
}

func codeOf(c invoke.Code, deliberate bool) int {
	switch c {
	case invoke.CodeRefused:
		if deliberate {
			return codeRejected
		}
		return codeUnscheduled
	case invoke.CodeExpired, invoke.CodeDeadline, invoke.CodeDraining:
		return codeUnscheduled
	case invoke.CodeNoFunction:
		return codeNotFound
	case invoke.CodeBadRequest:
		return codeInput
	case invoke.CodeFailed:
		return codeFunction
	case invoke.CodeUnavailable, invoke.CodeUnknown:
		return codeUnforwarded
	}
	return codeGeneric
}

func statusOf(code int) int {
	switch code {
	case codeNotFound:
		return http.StatusNotFound
	case codeInput:
		return http.StatusBadRequest
	case codeRejected:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func write(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(statusOf(code))
	_ = json.NewEncoder(w).Encode(reply{code, message}) // fails only when the client has gone
}
