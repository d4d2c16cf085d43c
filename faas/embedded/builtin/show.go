package builtin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

// hello says who answers.
func hello(w http.ResponseWriter, _ *http.Request) {
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed host"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintf(w, "hello from %s on %s (pid %d)\n", functionName(), host, os.Getpid())
}

func functionName() string {
	if name := os.Getenv("OPENFAAS_NAME"); name != "" {
		return name
	}
	return "hello"
}

// shown is what env answers.
type shown struct {
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Query   string      `json:"query"`
	Host    string      `json:"host"`
	Headers http.Header `json:"headers"`
	Env     []string    `json:"env"`
}

// env shows what a function gets to see.
func env(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(shown{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Host, r.Header, os.Environ()})
}
