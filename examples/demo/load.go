package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// result is what became of a load.
type result struct {
	policy string
	calls  int

	mu   sync.Mutex
	took []time.Duration // of the answered ones
	late int             // of those, answered after the deadline
	ran  map[string]int  // by peer ID
}

// onTime is the share of all calls that were answered within the deadline.
func (r *result) onTime() float64 { return float64(len(r.took)-r.late) / float64(r.calls) }

func (r *result) quantile(q float64) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	slices.Sort(r.took)
	return r.took[int(q*float64(len(r.took)-1))].Round(time.Millisecond)
}

// enter sends calls at random moments (Poisson), whether or not the ones
// before have been answered, from the same seed each time.
func enter(ctx context.Context, n *member, policy string) *result {
	r := &result{policy: policy, ran: map[string]int{}}
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	defer transport.CloseIdleConnections()
	random := rand.New(rand.NewPCG(1, 1))
	var calls sync.WaitGroup
	began := time.Now()
	for at := time.Duration(0); at < length; at += time.Duration(random.ExpFloat64() / rate * float64(time.Second)) {
		if sleep(ctx, time.Until(began.Add(at))) != nil {
			break
		}
		r.calls++
		calls.Go(func() { r.call(ctx, transport, n) })
	}
	calls.Wait()
	return r
}

func (r *result) call(ctx context.Context, via http.RoundTripper, n *member) {
	began := time.Now()
	ran, err := call(ctx, via, n)
	took := time.Since(began)
	if err != nil {
		return // counted as not answered
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, took)
	r.ran[ran]++
	if took > deadline {
		r.late++
	}
}

// call invokes work once and tells which peer ran it.
func call(ctx context.Context, via http.RoundTripper, n *member) (ran string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.http+"/function/work", strings.NewReader("x"))
	if err != nil {
		return "", err
	}
	resp, err := via.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d: %s", resp.StatusCode, body)
	}
	return resp.Header.Get("X-P2pfaas-Peer"), nil
}

// warm makes sure that the function answers.
func warm(ctx context.Context, n *member) error {
	_, err := call(ctx, http.DefaultTransport, n)
	return err
}
