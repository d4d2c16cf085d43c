package learner

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What a question costs on loopback.
func BenchmarkAsk(b *testing.B) {
	s := NewServer(new(noted))
	mux := http.NewServeMux()
	s.Routes(mux, func(h http.Handler) http.Handler { return h })
	web := httptest.NewServer(mux)
	defer web.Close()
	defer s.Close()
	for name, socket := range map[string]string{"http": "", "socket": strings.Replace(web.URL, "http", "ws", 1) + pathAct} {
		b.Run(name, func(b *testing.B) {
			c := NewClient(Config{URL: web.URL, Socket: socket})
			defer c.Close()
			for b.Loop() {
				if !c.Ask(b.Context(), question(patient)).OK {
					b.Fatal("no answer")
				}
			}
		})
	}
}
