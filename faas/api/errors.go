package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/p2pfaas/p2pfaas/faas"
)

// InternalHeader marks an answer that comes from the platform, not from a
// function. OpenFaaS's clients read it for their decision to retry.
const InternalHeader = "X-OpenFaaS-Internal"

// Codes in JSON errors; one for each sentinel of package faas, and our own.
const (
	codeNotFound    = "not_found"
	codeInvalid     = "invalid"
	codeExists      = "exists"
	codeUnavailable = "unavailable"
	codeUnsupported = "unsupported"
	codeInternal    = "internal"
)

type errorBody struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// Error answers a request with an error: one line "text; hint", or, where the
// client accepts application/json, an object of code, text and hint. code is a
// stable word for programs, text says what happened and hint what to do about
// it; hint may be empty. Header fields that w already has are kept, except for
// those that describe a body. The caller writes nothing to w afterwards.
func Error(w http.ResponseWriter, r *http.Request, status int, code, text, hint string) {
	text, hint = oneLine(text), oneLine(hint)
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		h.Del(name)
	}
	if acceptsJSON(r) {
		writeJSON(w, status, errorBody{Code: code, Text: text, Hint: hint})
		return
	}
	if hint != "" {
		text += "; " + hint
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // the client is gone: nobody left to tell
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func acceptsJSON(r *http.Request) bool {
	for _, field := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(field, ",") {
			kind, params, err := mime.ParseMediaType(part)
			if err == nil && kind == "application/json" && params["q"] != "0" {
				return true
			}
		}
	}
	return false
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		log.Errorw("answer cannot be encoded", "err", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// fail answers with what a Runtime returned.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		text := fmt.Sprintf("body of the request is larger than %d bytes", large.Limit)
		Error(w, r, http.StatusRequestEntityTooLarge, codeInvalid, text, "put data into the image")
	case errors.Is(err, faas.ErrNotFound):
		Error(w, r, http.StatusNotFound, codeNotFound, err.Error(), "")
	case errors.Is(err, faas.ErrInvalid):
		Error(w, r, http.StatusBadRequest, codeInvalid, err.Error(), "")
	case errors.Is(err, faas.ErrExists):
		Error(w, r, http.StatusConflict, codeExists, err.Error(), "")
	case errors.Is(err, faas.ErrUnsupported):
		Error(w, r, http.StatusNotImplemented, codeUnsupported, err.Error(), "")
	case errors.Is(err, faas.ErrUnavailable):
		w.Header().Set(InternalHeader, "p2pfaas")
		Error(w, r, http.StatusServiceUnavailable, codeUnavailable, err.Error(), "")
	case r.Context().Err() != nil: // the client went away: nobody reads the answer
	default:
		log.Errorw("system call failed", "method", r.Method, "path", r.URL.Path, "err", err)
		Error(w, r, http.StatusInternalServerError, codeInternal, "the function runtime failed", "the node's log says why")
	}
}
