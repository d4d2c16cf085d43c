package learner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/sched"
)

const (
	// mostPending bounds the lessons that wait; the oldest go first.
	mostPending = 10_000
	// mostPosted bounds a batch.
	mostPosted = 500
	// gather is how long others are waited for to come with the first.
	gather = 200 * time.Millisecond
	// postLimit bounds one post, and lastPost the one at the end.
	postLimit = 5 * time.Second
	lastPost  = time.Second
	// A learner that is not there is tried again after longer and longer.
	leastBackoff = time.Second
	mostBackoff  = 30 * time.Second
)

// rewards wait for their post.
type rewards struct {
	mu      sync.Mutex
	pending []entry
	dropped uint64
	some    chan struct{} // has a value if there are any
}

func newRewards() *rewards { return &rewards{some: make(chan struct{}, 1)} }

// Teach has the learner told; it never waits. While the learner cannot be
// reached the latest lessons are kept.
func (c *Client) Teach(l *sched.Lesson) { c.rewards.add(entryOf(l)) }

func (r *rewards) add(more ...entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(r.pending, more...)
	r.trim()
	select {
	case r.some <- struct{}{}:
	default:
	}
}

// trim drops the oldest of too many, with mu held.
func (r *rewards) trim() {
	if over := len(r.pending) - mostPending; over > 0 {
		r.pending = append(r.pending[:0], r.pending[over:]...)
		r.dropped += uint64(over)
	}
}

// take is the next batch, empty if there is none.
func (r *rewards) take() []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(r.pending), mostPosted)
	batch := append([]entry(nil), r.pending[:n]...)
	r.pending = append(r.pending[:0], r.pending[n:]...)
	return batch
}

// giveBack puts a batch that could not be posted before those that came since.
func (r *rewards) giveBack(batch []entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(batch, r.pending...)
	r.trim()
}

func (r *rewards) drop(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped += uint64(n)
}

// posting posts until ctx ends, and then what is left if that goes at once.
func (c *Client) posting(ctx context.Context) {
	for c.awaitSome(ctx) {
		c.postAll(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPost)
	defer cancel()
	for batch := c.rewards.take(); len(batch) > 0 && c.post(ctx, batch) == nil; {
		batch = c.rewards.take()
	}
}

// awaitSome returns when there is a batch, and false when ctx has ended.
func (c *Client) awaitSome(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-c.rewards.some:
		return sleep(ctx, gather)
	}
}

// postAll posts all there is, however long that takes.
func (c *Client) postAll(ctx context.Context) {
	backoff := leastBackoff
	for batch := c.rewards.take(); len(batch) > 0; {
		if c.post(ctx, batch) == nil {
			backoff, batch = leastBackoff, c.rewards.take()
			continue
		}
		c.rewards.giveBack(batch)
		if !sleep(ctx, backoff) {
			return
		}
		backoff, batch = min(2*backoff, mostBackoff), c.rewards.take()
	}
}

// post sends one batch. An error says that the learner could not be reached; what
// it refuses is dropped, as it would refuse it again.
func (c *Client) post(ctx context.Context, batch []entry) error {
	ctx, cancel := context.WithTimeout(ctx, postLimit)
	defer cancel()
	text, err := json.Marshal(batch)
	if err != nil {
		return c.refused(batch, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+pathTrainBatch, bytes.NewReader(text))
	if err != nil {
		return c.refused(batch, err)
	}
	req.Header.Set("Content-Type", "application/json")
	_, _, err = c.do(req)
	var status *statusError
	switch {
	case errors.As(err, &status):
		return c.refused(batch, err)
	case err != nil && !errors.Is(err, ErrWrong): // a long answer is an answer
		return err
	}
	c.counts.told.Add(uint64(len(batch)))
	return nil
}

func (c *Client) refused(batch []entry, err error) error {
	log.Warnw("the learner refused rewards; they are dropped", "count", len(batch), "error", err)
	c.rewards.drop(len(batch))
	return nil
}

// sleep returns false when ctx has ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
