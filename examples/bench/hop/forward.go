package hop

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/p2pfaas/p2pfaas/examples/bench/call"
)

// newForward takes calls as P2PFaaS's scheduler does from another one: a
// function's body in base64 within JSON, and closes each connection after its
// answer. It answers probes.
func newForward(s Setting) (server, error) {
	f := callTo(s.To)
	routes := http.NewServeMux()
	routes.HandleFunc("GET "+call.Probe, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-P2PFaaS-Load", "1")
		w.Header().Set("X-P2PFaaS-MaxLoad", "8")
	})
	routes.HandleFunc("POST "+call.Forward, func(w http.ResponseWriter, r *http.Request) {
		if err := forward(w, r, f); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
	return serveHTTP(routes, nil, f.close)
}

func forward(w http.ResponseWriter, r *http.Request, f *function) error {
	var in call.Message
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return err
	}
	answer, err := f.call(r.Context(), bytes.NewReader(in.Payload), int64(len(in.Payload)))
	if err != nil {
		return err
	}
	defer answer.Close()
	all, err := readAll(answer)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(call.Message{Function: in.Function, Payload: all})
}
