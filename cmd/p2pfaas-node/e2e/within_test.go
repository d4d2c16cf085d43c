//go:build linux

package e2e

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
)

// slack is how much longer than promised things may take before a test fails:
// machines that run tests are slow at times. What was measured is logged.
const slack = 3

// inTime logs what took how long and fails the test if it was far too long.
func inTime(t *testing.T, what string, took, promised time.Duration) {
	t.Helper()
	t.Logf("%s: after %v (promised: %v)", what, took.Round(time.Millisecond), promised)
	if took > slack*promised {
		t.Errorf("%s: after %v, %d times what is promised is %v", what, took.Round(time.Millisecond), slack, slack*promised)
	}
}

// within polls until all checks pass, at once, and says how long it took; where
// they never do the test has failed.
func (f *fleet) within(promised time.Duration, what string, began time.Time, sites []*site, check func(*site) error) bool {
	f.t.Helper()
	deadline := began.Add(max(slack*promised, nodetest.Patience))
	errs := make([]error, len(sites))
	var all sync.WaitGroup
	for i, s := range sites {
		all.Go(func() {
			for errs[i] = check(s); errs[i] != nil && time.Now().Before(deadline); errs[i] = check(s) {
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	all.Wait()
	failed := slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	for _, err := range failed {
		f.t.Errorf("%s: still not after %v: %v", what, time.Since(began).Round(time.Second), err)
	}
	if len(failed) == 0 {
		inTime(f.t, what, time.Since(began), promised)
	}
	return len(failed) == 0
}
