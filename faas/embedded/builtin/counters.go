package builtin

import (
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"
)

// CountersPath answers with Counters.
const CountersPath = "/_/counters"

// Counters tell what a function's process ran.
type Counters struct {
	Started   int64 `json:"started"`
	Finished  int64 `json:"finished"`  // the handler came to its end
	Cancelled int64 `json:"cancelled"` // the caller went away before
	InFlight  int64 `json:"in_flight"`
	BytesIn   int64 `json:"bytes_in"`
}

// counted counts what next serves.
type counted struct {
	next                                            http.Handler
	started, finished, cancelled, inFlight, bytesIn atomic.Int64
}

func (c *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == CountersPath {
		c.report(w)
		return
	}
	c.started.Add(1)
	c.inFlight.Add(1)
	defer c.ended(r)
	r.Body = &countedBody{r.Body, &c.bytesIn}
	c.next.ServeHTTP(w, r)
}

// ended also counts a handler that panicked to cut its answer.
func (c *counted) ended(r *http.Request) {
	c.inFlight.Add(-1)
	if r.Context().Err() != nil {
		c.cancelled.Add(1)
		return
	}
	c.finished.Add(1)
}

func (c *counted) report(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(Counters{
		Started: c.started.Load(), Finished: c.finished.Load(), Cancelled: c.cancelled.Load(),
		InFlight: c.inFlight.Load(), BytesIn: c.bytesIn.Load(),
	})
}

type countedBody struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(int64(n))
	return n, err
}
