package async

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// missingPatience is how long a function that is deployed nowhere is waited for:
// a node that runs it may be on its way back, or its deployment.
const missingPatience = 2 * time.Minute

// carried says what an attempt tells of the way to the function.
type carried uint8

const (
	byFunction carried = iota // it was reached, whatever it said
	byNobody                  // nobody takes it now
	notTried                  // it says nothing
)

// verdict is what follows from an attempt.
type verdict struct {
	state   async.State   // Queued: again
	counted bool          // it was an attempt: the function may have run
	wait    time.Duration // of this call, before it runs again
	pause   time.Duration // of the whole line, at least
	problem string
	answer  bool // what the function said is kept, and posted
	carried carried
	full    bool // its answer found no room: it waits until there may be some
}

// judge says what follows from an attempt, the record's attempts before it not
// counting it. missing is how long the function has been found nowhere.
func judge(o *outcome, r *record, p *RetryPolicy, missing time.Duration) verdict {
	switch {
	case o.err != nil:
		return judgeError(o.err, r, p, missing)
	case o.unkept != nil:
		return judgeUnkept(o, r, p)
	case !p.retries(o.status) && field(o.header, internal) == "":
		return verdict{state: async.Done, counted: true, answer: true}
	}
	v := failed(r, p, fmt.Sprintf("the function answered with status %d", o.status))
	if v.state == async.Dead {
		v.answer = true
	}
	if o.status == 429 {
		v.carried = byNobody
	}
	if s, err := strconv.Atoi(field(o.header, "Retry-After")); err == nil && s > 0 && s <= int(maxWait/time.Second) {
		v.wait = min(max(v.wait, time.Duration(s)*time.Second), max(v.wait, p.MaxWait))
	}
	return v
}

// internal marks what the platform answers in the function's place.
const internal = "X-Openfaas-Internal"

// failed is an attempt that counts: again, or dead if it was the last.
func failed(r *record, p *RetryPolicy, problem string) verdict {
	n := r.Attempts + 1
	if n >= p.Attempts {
		return verdict{state: async.Dead, counted: true, problem: fmt.Sprintf("%s; %d of %d attempts made", problem, n, p.Attempts)}
	}
	return verdict{state: async.Queued, counted: true, problem: problem, wait: p.wait(n)}
}

func judgeError(err error, r *record, p *RetryPolicy, missing time.Duration) verdict {
	var e *invoke.Error
	if !errors.As(err, &e) {
		e = &invoke.Error{Code: invoke.CodeUnknown, Err: err}
	}
	problem := e.Error()
	switch {
	case e.Code == invoke.CodeNoFunction && missing < missingPatience:
		return verdict{state: async.Queued, pause: time.Second, problem: problem, carried: byNobody}
	case e.Code == invoke.CodeNoFunction, e.Code == invoke.CodeBadRequest, e.Code == invoke.CodeDenied, e.Code == invoke.CodeLoop:
		return verdict{state: async.Dead, problem: problem, carried: notTried}
	case e.Code.NotStarted():
		return verdict{state: async.Queued, pause: e.RetryAfter, problem: problem, carried: byNobody}
	}
	return failed(r, p, problem)
}

// judgeUnkept is of an answer that could not be kept.
func judgeUnkept(o *outcome, r *record, p *RetryPolicy) verdict {
	problem := "the answer was not kept: " + o.unkept.Error()
	switch {
	case errors.Is(o.unkept, errSource):
		return failed(r, p, "the answer broke off: "+o.unkept.Error())
	case r.Call.Callback == "":
		return verdict{state: async.Done, counted: true, problem: problem}
	case errors.Is(o.unkept, errTooLarge):
		return verdict{state: async.Dead, counted: true, problem: problem}
	}
	return verdict{state: async.Queued, problem: problem, full: true}
}
