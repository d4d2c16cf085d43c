package mesh

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// finder seeks functions that no neighbour runs.
type finder struct {
	ctx    context.Context // ends all searches
	cancel context.CancelFunc
	work   sync.WaitGroup
	places chan struct{}
	rate   *rate.Limiter

	mu       sync.Mutex // guards what follows
	closed   bool
	searches map[string]*search
	misses   map[string]time.Duration // until when
}

// search is one that is under way.
type search struct {
	over sync.Once
	done chan struct{} // closed when the function is known, or was not found
}

func (s *search) end() { s.over.Do(func() { close(s.done) }) }

func newFinder() *finder {
	f := &finder{places: make(chan struct{}, searchesAtOnce), rate: rate.NewLimiter(searchRate, searchRate),
		searches: make(map[string]*search), misses: make(map[string]time.Duration)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

func (f *finder) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.cancel()
	f.work.Wait()
}

func (f *finder) ended(function string, found bool, now time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.searches, function)
	if found {
		delete(f.misses, function)
		return
	}
	if len(f.misses) >= maxMisses {
		clear(f.misses)
	}
	f.misses[function] = now + missTime
}

// learned ends the searches for what has become known otherwise.
func (f *finder) learned(l list) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range l.functions {
		if s := f.searches[l.functions[i].id()]; s != nil {
			s.end()
		}
	}
}
