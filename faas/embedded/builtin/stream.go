package builtin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// stream sends events as server-sent events, or as lines of JSON to whom
// accepts application/x-ndjson.
func stream(w http.ResponseWriter, r *http.Request) {
	n, every, err := eventsOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	format, contentType := "data: {\"event\":%d}\n\n", "text/event-stream"
	if strings.Contains(r.Header.Get("Accept"), "ndjson") {
		format, contentType = "{\"event\":%d}\n", "application/x-ndjson"
	}
	w.Header().Set("Content-Type", contentType)
	after, cutting := cutAfter(r)
	for i := range n {
		if i > 0 && !pause(r, every) {
			return
		}
		if cutting && i == after {
			cut(w)
		}
		_, _ = fmt.Fprintf(w, format, i)
		_ = http.NewResponseController(w).Flush()
	}
}

func eventsOf(r *http.Request) (n int, every time.Duration, err error) {
	n, every = 5, usual
	q := r.URL.Query()
	if s := q.Get("n"); s != "" {
		if n, err = strconv.Atoi(s); err != nil || n < 0 {
			return 0, 0, fmt.Errorf("n=%q: want a number of events", s)
		}
	}
	if s := q.Get("every"); s != "" {
		every, err = parse(s)
	}
	return n, every, err
}

// pause returns false if the caller went away.
func pause(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
