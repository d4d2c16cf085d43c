package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
)

// progress draws a bar on a terminal, nothing elsewhere.
type progress struct {
	w     io.Writer
	total int
	began time.Time

	mu    sync.Mutex
	done  int
	drawn bool
}

// newProgress is nil if w is no terminal.
func newProgress(w io.Writer, total int) *progress {
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return nil
	}
	p := &progress{w: w, total: total, began: time.Now()}
	p.draw()
	return p
}

// ended counts one.
func (p *progress) ended() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.draw()
}

const barWidth = 30

// draw is called with mu held, or before anybody else knows p.
func (p *progress) draw() {
	full := barWidth * p.done / max(1, p.total)
	fmt.Fprintf(p.w, "\r\x1b[K[%s%s] %d of %d%s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), p.done, p.total, p.left())
	p.drawn = true
}

func (p *progress) left() string {
	if p.done == 0 || p.done == p.total {
		return ""
	}
	left := time.Since(p.began) / time.Duration(p.done) * time.Duration(p.total-p.done)
	return fmt.Sprintf(", %v left", left.Round(time.Second))
}

// clear takes the bar away, so that a line can be printed; the next ended draws
// it again.
func (p *progress) clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.drawn = false
	}
}
