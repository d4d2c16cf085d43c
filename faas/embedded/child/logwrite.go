package child

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"
)

// LineWriter writes to a log what one instance says, line by line. It is for
// one goroutine.
type LineWriter struct {
	log      *Log
	instance string
	line     []byte // begun, without its end
	skip     bool   // the line was cut, its rest is left out
}

// Writer returns a LineWriter. Its Close writes what lacks a line feed.
func (l *Log) Writer(instance string) *LineWriter {
	return &LineWriter{log: l, instance: instance}
}

// Write never fails.
func (w *LineWriter) Write(p []byte) (int, error) {
	var lines [][]byte
	for rest := p; len(rest) > 0; {
		part, behind, ended := bytes.Cut(rest, []byte{'\n'})
		rest = behind
		w.take(part)
		if line, ok := w.finish(ended); ok {
			lines = append(lines, line)
		}
	}
	w.log.append(w.instance, lines, true)
	return len(p), nil
}

func (w *LineWriter) take(part []byte) {
	if !w.skip {
		room := w.log.maxLine + 1 - len(w.line) // one more than is kept tells that it is too long
		w.line = append(w.line, part[:min(len(part), room)]...)
	}
}

// finish returns the line if it has ended or is to be cut.
func (w *LineWriter) finish(ended bool) (line []byte, ok bool) {
	line = w.line
	tooLong, skipped := len(line) > w.log.maxLine, w.skip
	if !ended && !tooLong {
		return nil, false
	}
	w.line, w.skip = nil, !ended
	if tooLong {
		mark := fmt.Sprintf(" … (cut at %d bytes)", w.log.maxLine)
		line = append(line[:w.log.maxLine-len(mark)], mark...)
	}
	return bytes.TrimSuffix(line, []byte{'\r'}), !skipped
}

// Close writes a line that was not ended.
func (w *LineWriter) Close() error {
	if len(w.line) > 0 {
		_, _ = w.Write([]byte{'\n'})
	}
	return nil
}

// linger is how long the output of a process is read after its end. Who holds
// the other end open then has escaped from the group.
const linger = 250 * time.Millisecond

// Output is a pipe from a process to a log.
type Output struct {
	// File is the end to give to the process.
	File *os.File

	log  *Log
	read *os.File
	done chan struct{} // nil before Begin
}

// Pipe opens an Output. The caller calls End in any case.
func (l *Log) Pipe() (*Output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &Output{File: w, log: l, read: r}, nil
}

// Begin has what the process writes go to the log under the name of its
// instance. The process has its end of the pipe; this one is closed. The
// goroutine that reads ends with the pipe, at the latest linger after End.
func (o *Output) Begin(instance string) {
	_ = o.File.Close()
	o.done = make(chan struct{})
	go o.copy(instance)
}

func (o *Output) copy(instance string) {
	defer close(o.done)
	w := o.log.Writer(instance)
	_, _ = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{o.read}, make([]byte, 8<<10))
	_ = w.Close()
}

// End waits until all that the process wrote is in the log. It is called when
// the process has ended, or was not started, and may be called again.
func (o *Output) End() {
	if o.done == nil {
		_ = o.File.Close()
	} else {
		_ = o.read.SetReadDeadline(time.Now().Add(linger))
		<-o.done
	}
	_ = o.read.Close()
}
