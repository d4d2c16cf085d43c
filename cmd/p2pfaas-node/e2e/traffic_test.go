//go:build linux

package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// call is one call and what came of it.
type call struct {
	id, function string
	entry        int // machine
	began        time.Time
	took         time.Duration
	status       int
	outcome      string // X-P2pfaas-Outcome
	ran          string // X-P2pfaas-Peer
	text         string
	err          error // there was no answer
}

// call makes one call that enters at this site's node.
func (s *site) call(ctx context.Context, id, function string) call {
	c := call{id: id, function: function, entry: s.number, began: time.Now()}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.node.HTTP+"/function/"+function, strings.NewReader("x"))
	if err == nil {
		req.Header.Set("X-Call-Id", id)
		err = c.take(s.client.Do(req))
	}
	c.err = err
	c.took = time.Since(c.began)
	return c
}

func (c *call) take(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	c.status, c.outcome, c.ran = resp.StatusCode, resp.Header.Get("X-P2pfaas-Outcome"), resp.Header.Get("X-P2pfaas-Peer")
	c.text = strings.TrimSpace(string(text))
	return err
}

func (c *call) ok() bool { return c.err == nil && c.status == http.StatusOK }

// unknown says whether the caller was told that it may or may not have run.
func (c *call) unknown() bool {
	return c.err == nil && c.status == http.StatusBadGateway && c.outcome == "unknown"
}

func (c *call) ended() time.Time { return c.began.Add(c.took) }

// what is how it ended, without what differs from call to call.
func (c *call) what() string {
	if c.err != nil {
		return fmt.Sprintf("%s: no answer: %v", c.function, c.err)
	}
	return fmt.Sprintf("%s: %d outcome=%q %.100s", c.function, c.status, c.outcome, c.text)
}

// traffic is callers that call again as soon as they are answered.
type traffic struct {
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu   sync.Mutex
	open map[string]time.Time // calls under way, since when
	over []call
	next int
}

// entrance says where the next call enters, and is told when it has ended.
type entrance func() (at *site, left func())

// at has all calls enter at one site.
func at(s *site) entrance { return func() (*site, func()) { return s, func() {} } }

// traffic starts callers of each function. They end with the test at the latest.
func (f *fleet) traffic(callers int, enter entrance, functions ...string) *traffic {
	ctx, cancel := context.WithCancel(context.Background())
	tr := &traffic{cancel: cancel, open: make(map[string]time.Time)}
	f.t.Cleanup(func() {
		cancel()
		tr.all.Wait()
	})
	for _, function := range functions {
		for range callers {
			tr.all.Go(func() {
				for ctx.Err() == nil {
					tr.one(function, enter)
				}
			})
		}
	}
	return tr
}

// one call, which is not given up when the traffic stops.
func (tr *traffic) one(function string, enter entrance) {
	s, left := enter()
	defer left()
	tr.mu.Lock()
	tr.next++
	id := fmt.Sprintf("%s-%d-%06d", function, s.number, tr.next)
	tr.open[id] = time.Now()
	tr.mu.Unlock()
	c := s.call(context.Background(), id, function)
	tr.mu.Lock()
	delete(tr.open, id)
	tr.over = append(tr.over, c)
	tr.mu.Unlock()
	if !c.ok() {
		time.Sleep(20 * time.Millisecond) // a dead entrance is not called in a loop
	}
}

// stop waits for the calls under way and returns all calls.
func (tr *traffic) stop() []call {
	tr.cancel()
	tr.all.Wait()
	return tr.over
}

// since returns the calls that ended after a moment.
func (tr *traffic) since(moment time.Time) (calls []call) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, c := range tr.over {
		if c.ended().After(moment) {
			calls = append(calls, c)
		}
	}
	return calls
}

// underWay is the calls that began before a moment and have not ended.
func (tr *traffic) underWay(before time.Time) (calls []string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for id, began := range tr.open {
		if began.Before(before) {
			calls = append(calls, id)
		}
	}
	return calls
}

// settled says, as an error, how many calls from before a moment are not over.
func (tr *traffic) settled(before time.Time) error {
	if calls := tr.underWay(before); len(calls) > 0 {
		return fmt.Errorf("calls %v are still under way", calls)
	}
	return nil
}

// answered fails the test for calls that were not answered with success, unless
// they are excused: one line for each kind of failure, with the times of its
// first and last since a moment.
func answered(t *testing.T, calls []call, moment time.Time, excused func(*call) bool) {
	t.Helper()
	kinds := make(map[string][]*call)
	served := 0
	for i := range calls {
		c := &calls[i]
		switch {
		case c.ok():
			served++
		case !excused(c):
			kinds[c.what()] = append(kinds[c.what()], c)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(kinds)) {
		kind := kinds[what]
		first, last := kind[0], kind[len(kind)-1]
		t.Errorf("%d of %d calls: %s (the first is %s, which entered at machine %d at %v and took %v; the last entered at %v)", len(kind), len(calls), what,
			first.id, first.entry, first.began.Sub(moment).Round(time.Millisecond), first.took.Round(time.Millisecond), last.began.Sub(moment).Round(time.Millisecond))
	}
	if served == 0 {
		t.Errorf("none of %d calls was served: this tests nothing", len(calls))
	}
}

func never(*call) bool { return false }

// slowest of the calls that are meant, as time from began or from the fault,
// whichever was later.
func slowest(calls []call, fault time.Time, meant func(*call) bool) (longest time.Duration, n int) {
	for i := range calls {
		c := &calls[i]
		if !meant(c) {
			continue
		}
		n++
		from := c.began
		if fault.After(from) {
			from = fault
		}
		longest = max(longest, c.ended().Sub(from))
	}
	return longest, n
}
