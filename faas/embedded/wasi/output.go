package wasi

import (
	"sync"

	"github.com/p2pfaas/p2pfaas/faas/embedded/watchdog"
)

// output is what a module has written and its caller has not yet read: at most
// [watchdog.HoldBack] bytes. One goroutine writes and one reads.
type output struct {
	more  chan struct{} // a token: there is more, or it has ended
	space chan struct{} // a token: something was taken

	mu    sync.Mutex // guards what follows
	bytes []byte
	from  int   // of bytes; what precedes was taken
	taken int64 // in all
	ended bool
}

func newOutput() *output {
	return &output{more: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put keeps as much of p as there is space for.
func (o *output) put(p []byte) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(len(p), watchdog.HoldBack-(len(o.bytes)-o.from))
	if len(o.bytes)+n > watchdog.HoldBack { // what was taken makes room
		o.bytes, o.from = o.bytes[:copy(o.bytes, o.bytes[o.from:])], 0
	}
	o.bytes = append(o.bytes, p[:n]...)
	if n > 0 {
		signal(o.more)
	}
	return n
}

// end says that no more comes.
func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	signal(o.more)
}

// await waits for n bytes; false: there are fewer and no more come.
func (o *output) await(n int) bool {
	for {
		have, ended := o.has()
		if have >= n || ended {
			return have >= n
		}
		<-o.more
	}
}

func (o *output) has() (n int, ended bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.bytes) - o.from, o.ended
}

// Buffered is how many bytes can be taken.
func (o *output) Buffered() int {
	n, _ := o.has()
	return n
}

// take moves what there is to p.
func (o *output) take(p []byte) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := copy(p, o.bytes[o.from:])
	o.from += n
	o.taken += int64(n)
	if o.from == len(o.bytes) {
		o.bytes, o.from = o.bytes[:0], 0
	}
	if n > 0 {
		signal(o.space)
	}
	return n
}

// replace puts another text in the place of an output that has ended.
func (o *output) replace(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes, o.from = []byte(text), 0
}

// rest is what was not taken.
func (o *output) rest() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.bytes[o.from:])
}

// written is how many bytes there were in all.
func (o *output) written() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.taken + int64(len(o.bytes)-o.from)
}
