package openfaastest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/openfaas/faas-provider/logs"
)

// journal is what a function wrote.
type journal struct {
	mu    sync.Mutex
	lines []logs.Message
	grown chan struct{} // closed, and made anew, with each line
}

func newJournal() *journal { return &journal{grown: make(chan struct{})} }

func (j *journal) write(m logs.Message) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, m)
	close(j.grown)
	j.grown = make(chan struct{})
}

func (j *journal) from(place int) (lines []logs.Message, grown <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines[place:], j.grown
}

// Write adds a line to the log of a function of the default namespace.
func (g *Gateway) Write(function, instance, text string) {
	g.t.Helper()
	f := g.find(name{function, defaultNamespace})
	if f == nil {
		g.t.Fatalf("fake gateway: no function %q", function)
	}
	f.write(instance, text)
}

func (f *function) write(instance, text string) {
	f.journal.write(logs.Message{
		Name: f.deployment.Service, Namespace: f.deployment.Namespace, Instance: instance,
		Timestamp: time.Now().UTC(), Text: text,
	})
}

// say writes what it is sent to its log, and answers nothing.
func (f *function) say(w http.ResponseWriter, r *http.Request) {
	if text, err := io.ReadAll(r.Body); err == nil && len(text) > 0 {
		f.write(f.deployment.Service+"-1", string(text))
	}
}

// logs answers as the gateway does: as plain text, 501 for what is absent, and
// for so long only as it answers anything.
func (g *Gateway) logs(w http.ResponseWriter, r *http.Request) {
	query := g.query(r, "name", "namespace", "instance", "tail", "since", "follow")
	if g.options.NoLogs {
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	asked, err := logRequest(query)
	if err != nil {
		g.t.Errorf("fake gateway: %s: %v", r.URL, err)
		http.Error(w, "could not parse the log request", http.StatusInternalServerError)
		return
	}
	namespace, ok := g.namespace(w, asked.Namespace)
	if !ok {
		return
	}
	f := g.find(name{asked.Name, namespace})
	if f == nil {
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), g.options.LogTime)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	f.journal.send(ctx, w, asked)
}

func (j *journal) send(ctx context.Context, w http.ResponseWriter, asked logs.Request) {
	encoder, control := json.NewEncoder(w), http.NewResponseController(w)
	lines, grown := j.from(0)
	place := len(lines)
	lines = chosen(lines, asked)
	if asked.Tail > 0 {
		lines = lines[max(0, len(lines)-asked.Tail):]
	}
	for {
		for _, m := range lines {
			_ = encoder.Encode(m) // to a client that may be gone
		}
		_ = control.Flush()
		if !asked.Follow {
			return
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return
		}
		lines, grown = j.from(place)
		place += len(lines)
		lines = chosen(lines, asked)
	}
}

// chosen knows seconds only, as some providers do.
func chosen(lines []logs.Message, asked logs.Request) []logs.Message {
	var some []logs.Message
	for _, m := range lines {
		late := asked.Since == nil || !m.Timestamp.Before(asked.Since.Truncate(time.Second))
		if late && (asked.Instance == "" || asked.Instance == m.Instance) {
			some = append(some, m)
		}
	}
	return some
}

func logRequest(query url.Values) (r logs.Request, err error) {
	r.Name, r.Namespace, r.Instance = query.Get("name"), query.Get("namespace"), query.Get("instance")
	if s := query.Get("tail"); s != "" {
		if r.Tail, err = strconv.Atoi(s); err != nil {
			return r, err
		}
	}
	if s := query.Get("since"); s != "" {
		since, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return r, err
		}
		r.Since = &since
	}
	if s := query.Get("follow"); s != "" {
		r.Follow, err = strconv.ParseBool(s)
	}
	return r, err
}
