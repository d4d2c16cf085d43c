package async

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/node/gateway"
	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// Prefix is where asynchronous calls are accepted.
const Prefix = "/async-function/"

// PathCall is where one is asked for.
const PathCall = "/call/"

const (
	headerCallID   = "X-Call-Id"
	headerCallback = "X-Callback-Url"
	headerStart    = "X-Start-Time"
)

// stallTime is how long a client's body may make no progress.
const stallTime = time.Minute

// API is the Engine over HTTP.
type API struct{ engine *Engine }

// NewAPI makes one.
func NewAPI(e *Engine) *API { return &API{e} }

// Routes adds all paths but those below [Prefix], which a mux would tidy up
// although they are the function's business; guard lets only those through that
// have the credentials.
func (a *API) Routes(mux *http.ServeMux, guard func(http.Handler) http.Handler) {
	mux.HandleFunc("GET /call/{id}", a.status)
	mux.HandleFunc("GET /call/{id}/result", a.result)
	mux.HandleFunc("DELETE /call/{id}", a.cancel)
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET /system/async":               a.list,
		"GET /system/async/{id}":          a.one,
		"DELETE /system/async/{id}":       a.drop,
		"POST /system/async/{id}/requeue": a.requeue,
	} {
		mux.Handle(pattern, guard(serve))
	}
}

// ServeHTTP serves the paths below [Prefix].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		a.accept(w, r)
	case http.MethodDelete: // as OpenFaaS has it; what follows is a call ID
		r.SetPathValue("id", strings.TrimPrefix(r.URL.Path, Prefix))
		a.cancel(w, r)
	default:
		w.Header().Set("Allow", "POST, DELETE")
		api.Error(w, r, http.StatusMethodNotAllowed, "method", r.Method+" is not for asynchronous calls", "POST "+Prefix+"NAME queues a call, DELETE "+Prefix+"CALL-ID cancels one")
	}
}

func (a *API) accept(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	req, err := gateway.Parse(w, r, Prefix, began)
	if err == nil {
		var c async.Call
		if c, err = call(r, req); err == nil && a.engine.isQuiet() && req.Parent == "" {
			err = errDraining // but what runs here may still hand on work
		}
		if err == nil {
			var s async.Status
			if s, _, err = a.engine.Accept(r.Context(), c, &patientBody{r: r, control: http.NewResponseController(w)}); err == nil {
				accepted(w, &s, began)
				return
			}
		}
	}
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close") // rather than read the rest of the body
	}
	a.refuse(w, r, err)
}

// errDraining: the node takes no new calls.
var errDraining = errors.New("this node is going away")

func accepted(w http.ResponseWriter, s *async.Status, began time.Time) {
	h := w.Header()
	h.Set(headerCallID, s.ID)
	h.Set(headerStart, strconv.FormatInt(began.UTC().UnixNano(), 10))
	h.Set("Location", PathCall+url.PathEscape(s.ID))
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
}

// call makes a call of a request. Its errors are *invoke.Error.
func call(r *http.Request, req *invoke.Request) (async.Call, error) {
	c := async.Call{
		Function: req.Function, Method: req.Method, Path: req.Path, Query: req.Query, Host: req.Host,
		Size: req.Size, Callback: r.Header.Get(headerCallback),
	}
	if r.Header.Get(headerCallID) != "" {
		c.ID = req.CallID
		if c.ID == "." || c.ID == ".." {
			return c, bad("header %s: %q cannot be part of a path", headerCallID, c.ID)
		}
	}
	if c.Callback != "" {
		if err := checkCallback(c.Callback); err != nil {
			return c, err
		}
	}
	for _, f := range req.Header {
		if f.Name != headerCallback {
			c.Header = append(c.Header, f)
		}
	}
	for _, name := range readAtRun {
		if v := r.Header.Get(name); v != "" {
			c.Header = append(c.Header, invoke.Field{Name: name, Value: v})
		}
	}
	return c, nil
}

func checkCallback(callback string) error {
	u, err := url.Parse(callback)
	switch {
	case len(callback) > async.MaxCallback:
		return bad("header %s is %d bytes long; %d are the most", headerCallback, len(callback), async.MaxCallback)
	case err != nil:
		return bad("header %s: %v", headerCallback, err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return bad("header %s: %q is no URL of the form http://HOST/PATH or https://HOST/PATH", headerCallback, callback)
	}
	return nil
}

func bad(format string, args ...any) error {
	return &invoke.Error{Code: invoke.CodeBadRequest, Text: fmt.Sprintf(format, args...)}
}

// patientBody reads a request's body as long as it makes progress.
type patientBody struct {
	r       *http.Request
	control *http.ResponseController
}

func (b *patientBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(stallTime)) // HTTP/2 without it: its own limits hold
	n, err := b.r.Body.Read(p)
	if err != nil {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// refuse tells why something was not done.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, code, hint := statusOf(err)
	var broken *invoke.Error
	text := err.Error()
	if errors.As(err, &broken) {
		text = broken.Text
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if status >= 500 {
		w.Header().Set("X-OpenFaaS-Internal", "p2pfaas")
	}
	api.Error(w, r, status, code, text, hint)
}

// statusOf is how errors are told over HTTP.
func statusOf(err error) (status int, code, hint string) {
	var broken *invoke.Error
	var holder *HolderError
	switch {
	case errors.As(err, &holder):
		return http.StatusServiceUnavailable, "holder_gone", "ask again when that node is back; it has the call on disk"
	case errors.As(err, &broken), errors.Is(err, ErrBroken):
		return http.StatusBadRequest, "bad_request", ""
	case errors.Is(err, async.ErrNotFound):
		return http.StatusNotFound, "not_found", "answers are kept for a while only (async-keep)"
	case errors.Is(err, ErrTooMany):
		return http.StatusTooManyRequests, "too_many_calls", "try again after Retry-After, or re-queue or drop dead letters (p2pfaas-node calls)"
	case errors.Is(err, ErrNoRoom):
		return http.StatusInsufficientStorage, "no_room", "try again when calls have been worked off, drop dead letters, or free some disk space"
	case errors.Is(err, ErrNoCopy), errors.Is(err, errDraining):
		return http.StatusServiceUnavailable, "unavailable", "try again after Retry-After, or ask another node"
	case errors.Is(err, ErrOther), errors.Is(err, async.ErrFinished), errors.Is(err, ErrNotDead), errors.Is(err, ErrBusy), errors.Is(err, errElsewhere):
		return http.StatusConflict, "conflict", "see GET " + PathCall + "ID"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errStoreClosed):
		return http.StatusServiceUnavailable, "unavailable", "try again"
	}
	return http.StatusInternalServerError, "failed", "the node's log tells more"
}
