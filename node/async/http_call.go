package async

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/protocol/async"
)

// shown is a call in JSON. Field names are part of the API.
type shown struct {
	ID       string      `json:"id"`
	Function string      `json:"function"`
	State    async.State `json:"state"`
	Attempts int         `json:"attempts"`
	Code     int         `json:"code,omitempty"`    // HTTP status of the function's last answer
	Problem  string      `json:"problem,omitempty"` // why the last attempt or callback failed
	Accepted time.Time   `json:"accepted"`
	Next     *time.Time  `json:"next,omitempty"`   // when the next attempt or callback is due
	Holder   string      `json:"holder"`           // peer ID
	Size     int64       `json:"size"`             // of the request's body, bytes
	Result   *int64      `json:"result,omitempty"` // bytes of the answer, if it is kept
	Callback *shownBack  `json:"callback,omitempty"`
}

type shownBack struct {
	URL       string `json:"url"`
	Attempts  int    `json:"attempts"`
	Delivered bool   `json:"delivered"`
}

func show(s *async.Status, now time.Time) *shown {
	v := &shown{
		ID: s.ID, Function: s.Function, State: s.State, Attempts: s.Attempts, Code: s.Code, Problem: s.Problem,
		Accepted: now.Add(-s.Accepted).UTC().Truncate(time.Millisecond), Holder: s.Holder.String(), Size: s.Size,
	}
	if s.Next > 0 {
		next := now.Add(s.Next).UTC().Truncate(time.Millisecond)
		v.Next = &next
	}
	if s.Result {
		v.Result = &s.ResultSize
	}
	if s.Callback != "" {
		v.Callback = &shownBack{URL: redacted(s.Callback), Attempts: s.CallbackAttempts, Delivered: s.CallbackDelivered}
	}
	return v
}

// redacted is a callback's URL without its password: who knows the ID of a call
// may see how it stands, and no more.
func redacted(callback string) string {
	u, err := url.Parse(callback)
	if err != nil {
		return ""
	}
	return u.Redacted()
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody left to tell
}

func (a *API) status(w http.ResponseWriter, r *http.Request) {
	s, _, err := a.engine.Lookup(r.Context(), r.PathValue("id"), false)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	write(w, http.StatusOK, show(&s, time.Now()))
}

// result answers as the function did; 202 with the status while that is to come,
// and 410 where it never will, or is not kept any more.
func (a *API) result(w http.ResponseWriter, r *http.Request) {
	s, body, err := a.engine.Lookup(r.Context(), r.PathValue("id"), true)
	switch {
	case err != nil:
		a.refuse(w, r, err)
	case !s.State.Ended():
		w.Header().Set("Retry-After", "1")
		write(w, http.StatusAccepted, show(&s, time.Now()))
	case body == nil:
		api.Error(w, r, http.StatusGone, "no_result", noResult(&s), "")
	default:
		defer body.Close()
		giveResult(w, &s, body)
	}
}

func giveResult(w http.ResponseWriter, s *async.Status, body io.Reader) {
	h := w.Header()
	for _, f := range s.ResultHeader {
		if f.Name != "Content-Length" {
			h.Add(f.Name, f.Value)
		}
	}
	h.Set(headerCallID, s.ID)
	h.Set("X-Function-Name", s.Function)
	h.Set("X-Function-Status", strconv.Itoa(s.Code))
	if s.ResultSize >= 0 && s.Code != http.StatusNoContent && s.Code != http.StatusNotModified {
		h.Set("Content-Length", strconv.FormatInt(s.ResultSize, 10))
	}
	w.WriteHeader(s.Code)
	if _, err := io.Copy(w, body); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
		panic(http.ErrAbortHandler) // the answer shall be visibly cut
	}
}

func (a *API) cancel(w http.ResponseWriter, r *http.Request) {
	s, err := a.engine.Cancel(r.Context(), r.PathValue("id"))
	if errors.Is(err, async.ErrFinished) && s.ID != "" {
		err = fmt.Errorf("%w: it is %s", async.ErrFinished, s.State)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	write(w, http.StatusAccepted, show(&s, time.Now()))
}

// noResult says why there is no answer and will be none.
func noResult(s *async.Status) string {
	text := fmt.Sprintf("call %s is %s and has no answer to give", s.ID, s.State)
	if s.Problem != "" {
		text += ": " + s.Problem
	}
	return text
}
