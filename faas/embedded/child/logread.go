package child

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/p2pfaas/p2pfaas/faas"
)

// Lines yields the lines that q asks for, the oldest first. With q.Follow it
// goes on until ctx ends or the log is closed. Who follows more slowly than the
// files are turned misses lines.
func (l *Log) Lines(ctx context.Context, q faas.LogQuery) iter.Seq2[faas.LogLine, error] {
	return func(yield func(faas.LogLine, error) bool) {
		c := &cursor{log: l}
		defer c.close()
		until, grown := c.start()
		err := c.history(until, q, func(line faas.LogLine) bool { return yield(line, nil) })
		for err == nil && q.Follow && grown != nil {
			select {
			case <-grown:
			case <-ctx.Done():
				return
			}
			until, grown = l.now()
			err = c.each(until, q, func(line faas.LogLine) bool { return yield(line, nil) })
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(faas.LogLine{}, err)
		}
	}
}

// now returns the end of the log and what is closed when it moves; nil if the
// log is closed.
func (l *Log) now() (position, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return l.end, nil
	}
	return l.end, l.grown
}

// errEnough: who reads wants no more.
var errEnough = errors.New("no more lines are wanted")

// cursor reads a Log from its oldest line on. It keeps the file that it reads
// open, so that a turn of the files takes nothing away from it.
type cursor struct {
	log  *Log
	file *os.File // nil: before the first
	at   position
}

// start places the cursor before the older file.
func (c *cursor) start() (end position, grown <-chan struct{}) {
	end, grown = c.log.now()
	c.at = position{turn: end.turn - 2}
	return end, grown
}

func (c *cursor) close() {
	if c.file != nil {
		_ = c.file.Close()
		c.file = nil
	}
}

// history passes on the last q.Tail lines before until.
func (c *cursor) history(until position, q faas.LogQuery, each func(faas.LogLine) bool) error {
	if q.Tail < 0 {
		return c.each(until, q, each)
	}
	var kept []faas.LogLine
	err := c.each(until, q, func(line faas.LogLine) bool {
		if kept = append(kept, line); len(kept) >= 2*q.Tail+tailSlack {
			kept = append(kept[:0], kept[len(kept)-q.Tail:]...)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, line := range kept[max(0, len(kept)-q.Tail):] {
		if !each(line) {
			return errEnough
		}
	}
	return nil
}

// tailSlack lets a short tail be moved rarely.
const tailSlack = 64

// each passes on the lines from the cursor to until that q asks for.
func (c *cursor) each(until position, q faas.LogQuery, each func(faas.LogLine) bool) error {
	for {
		section, err := c.read(until)
		if section == nil || err != nil {
			return err
		}
		lines := bufio.NewScanner(section)
		lines.Buffer(make([]byte, 0, 4<<10), maxEntry)
		for lines.Scan() {
			line := parseEntry(lines.Bytes())
			line.Name = q.Name
			if wanted(&line, q) && !each(line) {
				return errEnough
			}
		}
		if err := lines.Err(); err != nil {
			return err
		}
	}
}

func wanted(l *faas.LogLine, q faas.LogQuery) bool {
	return (q.Instance == "" || q.Instance == l.Instance) && !l.At.Before(q.Since)
}

// read returns what one file holds between the cursor and until, and moves the
// cursor behind it; nil at until.
func (c *cursor) read(until position) (io.Reader, error) {
	c.log.mu.Lock() // no turn while a file is chosen and opened
	defer c.log.mu.Unlock()
	for c.at.turn <= until.turn {
		end, err := c.fileEnd(until)
		if err != nil {
			return nil, err
		}
		if begin := c.at.size; begin < end {
			c.at.size = end
			return io.NewSectionReader(c.file, begin, end-begin), nil
		}
		if c.at.turn == until.turn {
			return nil, nil
		}
		if err := c.next(); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (c *cursor) fileEnd(until position) (int64, error) {
	if c.file == nil {
		return 0, nil
	}
	if c.at.turn == until.turn {
		return until.size, nil
	}
	info, err := c.file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// next goes on to the following file that is still there.
func (c *cursor) next() error {
	c.close()
	newest := c.log.end.turn
	c.at = position{turn: max(c.at.turn+1, newest-1)}
	if c.log.gone {
		return nil
	}
	path := c.log.path
	if c.at.turn < newest {
		path += olderSuffix
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was turned yet
	}
	if err != nil {
		return err
	}
	c.file = f
	return nil
}
