package api

import (
	"io"
	"net/http"
)

// plainErrors has m answer what it does not serve as [Error] does.
func plainErrors(m *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal, pattern := m.Handler(r)
		if pattern != "" {
			m.ServeHTTP(w, r)
			return
		}
		answer := statusOnly{header: make(http.Header)}
		refusal.ServeHTTP(&answer, r)
		if answer.status != http.StatusMethodNotAllowed {
			Error(w, r, http.StatusNotFound, codeNotFound, r.URL.Path+": nothing is served here", "")
			return
		}
		allowed := answer.header.Get("Allow")
		w.Header().Set("Allow", allowed)
		Error(w, r, answer.status, codeInvalid, r.Method+" "+r.URL.Path+": method not allowed", "use "+allowed)
	})
}

// statusOnly takes in what a mux says of a request that it does not serve.
type statusOnly struct {
	header http.Header
	status int
}

func (s *statusOnly) Header() http.Header         { return s.header }
func (s *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
func (s *statusOnly) WriteHeader(status int)      { s.status = status }

// noPage stands where a program that has a web page mounts it.
func noPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "There is no web page here. GET /system/functions lists the functions, POST /function/NAME calls one.\n")
}
