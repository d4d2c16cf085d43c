package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/p2pfaas/p2pfaas/faas"
)

// usage is the mean use of the processors over the last seconds in which
// somebody looked.
type usage struct {
	mu    sync.Mutex // guards what follows
	at    time.Time
	cpu   time.Duration
	cores float64
	asked time.Time
}

const (
	// leastSpan is the shortest time that says something of a mean.
	leastSpan = time.Second
	// interest is how long after a question the next is prepared for, every
	// usualSpan.
	interest, usualSpan = time.Minute, 5 * time.Second
)

// observe takes a reading into account.
func (u *usage) observe(at time.Time, cpu time.Duration) {
	if span := at.Sub(u.at); span >= leastSpan {
		if !u.at.IsZero() {
			u.cores = max(0, (cpu-u.cpu).Seconds()/span.Seconds())
		}
		u.at, u.cpu = at, cpu
	}
}

// due tells whether it is time to prepare for a question that is likely.
func (u *usage) due(now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return now.Sub(u.asked) < interest && now.Sub(u.at) >= usualSpan
}

var _ faas.UsageTeller = (*Runtime)(nil)

// Usage implements [faas.UsageTeller]. It reads some files for each process and
// thread of the function, which is why it is not part of Get and List.
func (rt *Runtime) Usage(_ context.Context, name faas.Name) (faas.Usage, error) {
	d, err := rt.lookup(name)
	if err != nil {
		return faas.Usage{}, err
	}
	if d.account == nil {
		return faas.Usage{}, fmt.Errorf("usage of %s: it is not known here: %w", name, faas.ErrUnsupported)
	}
	return d.usage(time.Now()), nil
}

// usage is what the function takes now. Its account is not nil.
func (d *deployment) usage(now time.Time) faas.Usage {
	u := &d.lineage.usage
	cpu, memory := d.account.CPUTime().Used, d.account.Memory()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked = now
	u.observe(now, cpu)
	return faas.Usage{CPU: u.cores, Memory: memory}
}

// prepareUsage reads in advance, so that the next answer is of the last seconds.
func (d *deployment) prepareUsage(now time.Time) {
	u := &d.lineage.usage
	if d.account == nil || !u.due(now) {
		return
	}
	cpu := d.account.CPUTime().Used
	u.mu.Lock()
	defer u.mu.Unlock()
	u.observe(now, cpu)
}
