package builtin

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const usual = 100 * time.Millisecond

// sleep answers when its duration has passed.
func sleep(w http.ResponseWriter, r *http.Request) {
	d, err := duration(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		_, _ = fmt.Fprintf(w, "slept %v\n", d)
	case <-r.Context().Done():
	}
}

// burn keeps a core busy for its duration.
func burn(w http.ResponseWriter, r *http.Request) {
	d, err := duration(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var sum uint64
	for end := time.Now().Add(d); time.Now().Before(end) && r.Context().Err() == nil; {
		for i := range uint64(10_000) {
			sum += i * i
		}
	}
	_, _ = fmt.Fprintf(w, "burned %v (%d)\n", d, sum%10)
}

// duration is looked for in the query (d or duration), the field X-Duration,
// the body and the environment. Reading the body whole also lets net/http
// notice that the caller went away.
func duration(r *http.Request) (time.Duration, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64))
	if err != nil {
		return 0, fmt.Errorf("read duration: %w", err)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return 0, fmt.Errorf("read body: %w", err)
	}
	q := r.URL.Query()
	for _, s := range []string{q.Get("d"), q.Get("duration"), r.Header.Get("X-Duration")} {
		if s != "" {
			return parse(s)
		}
	}
	if d, err := time.ParseDuration(strings.TrimSpace(string(body))); err == nil && d >= 0 {
		return d, nil
	}
	if s := os.Getenv("duration"); s != "" {
		return parse(s)
	}
	return usual, nil
}

func parse(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("duration %q: want one such as 250ms", s)
	}
	return d, nil
}
