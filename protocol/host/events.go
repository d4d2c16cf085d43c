package host

import (
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// Event tells that a member came or went.
type Event struct {
	Peer   peer.ID
	Member Member
	// Joined: it came. Else it went.
	Joined bool
	// News is what it said of its load when it came.
	News load.News
}

// feed hands events to subscribers, in order, on one goroutine, so that whoever
// publishes need not wait for them.
type feed struct {
	done chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex // guards what follows
	more   sync.Cond  // queue grew, or closed
	queue  []func()   // unbounded: as many as members came and went meanwhile
	subs   map[int]func(Event)
	next   int
	closed bool
}

func newFeed() *feed {
	f := &feed{done: make(chan struct{}), subs: make(map[int]func(Event))}
	f.more.L = &f.mu
	return f
}

// run ends with close, after the last event.
func (f *feed) run() {
	defer close(f.done)
	for {
		deliver := f.take()
		if deliver == nil {
			return
		}
		deliver()
	}
}

func (f *feed) take() func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.queue) == 0 {
		if f.closed {
			return nil
		}
		f.more.Wait()
	}
	deliver := f.queue[0]
	f.queue = f.queue[1:]
	return deliver
}

// publish hands e to those who are subscribed now.
func (f *feed) publish(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.subs {
		f.enqueue(id, e)
	}
}

// subscribe begins with the events of present.
func (f *feed) subscribe(fn func(Event), present []Event) (unsubscribe func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := f.next
	f.next++
	f.subs[id] = fn
	for _, e := range present {
		f.enqueue(id, e)
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subs, id)
	}
}

func (f *feed) enqueue(id int, e Event) {
	f.queue = append(f.queue, func() {
		f.mu.Lock()
		fn := f.subs[id]
		f.mu.Unlock()
		if fn != nil {
			fn(e)
		}
	})
	f.more.Signal()
}

// close lets run deliver what is queued and waits for it.
func (f *feed) close() {
	f.mu.Lock()
	f.closed = true
	f.more.Signal()
	f.mu.Unlock()
	<-f.done
}
