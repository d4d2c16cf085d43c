package api_test

import (
	"net/http/httptest"
	"testing"

	"github.com/p2pfaas/p2pfaas/faas/api"
)

func TestErrorShapes(t *testing.T) {
	const object = `{"code":"full","text":"all servers busy","hint":"try later"}` + "\n"
	const line = "all servers busy; try later\n"
	for accept, want := range map[string]string{
		"":                               line,
		"*/*":                            line,
		"text/html, application/xhtml":   line,
		"application/json;q=0, text/css": line,
		"application/json":               object,
		"text/html, Application/JSON ;q=0.9, */*;q=0.8": object,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		w.Header().Set("Retry-After", "1")
		w.Header().Set("Content-Length", "9")
		api.Error(w, r, 429, "full", "all servers\nbusy", "try later")
		if w.Code != 429 || w.Body.String() != want {
			t.Errorf("accept %q: %d %q, want %q", accept, w.Code, w.Body, want)
		}
		if h := w.Header(); h.Get("Retry-After") != "1" || h.Get("Content-Length") != "" {
			t.Errorf("accept %q: header %v", accept, h)
		}
	}
}
