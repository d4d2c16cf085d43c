package child

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Log keeps the last output of a function's processes in two files, of which
// the older is dropped when the newer is full. It is safe for concurrent use.
type Log struct {
	path  string
	limit int64 // of one file

	mu   sync.Mutex // guards what follows; writing a log line is its I/O
	file *os.File
	size int64
	last []byte
}

const maxLastLine = 256

// OpenLog continues the log at path, which takes at most limit bytes of disk.
func OpenLog(path string, limit int64) (*Log, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	l := &Log{path: path, limit: max(limit/2, 1)}
	return l, l.open()
}

func (l *Log) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write appends p. A full disk loses lines, not the function: it never fails.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return len(p), nil
	}
	l.remember(p)
	for rest := p; len(rest) > 0 && l.file != nil; {
		part := rest[:min(int64(len(rest)), max(l.limit-l.size, 0))]
		n, err := l.file.Write(part)
		l.size += int64(n)
		if rest = rest[len(part):]; err != nil {
			break
		}
		if l.size >= l.limit {
			l.turn()
		}
	}
	return len(p), nil
}

func (l *Log) turn() {
	_ = l.file.Close()
	l.file = nil
	if os.Rename(l.path, l.path+".1") != nil {
		return
	}
	_ = l.open()
}

// remember keeps the last line that says something.
func (l *Log) remember(p []byte) {
	p = bytes.TrimSpace(p)
	if line := p[bytes.LastIndexByte(p, '\n')+1:]; len(line) > 0 {
		l.last = append(l.last[:0], line[:min(len(line), maxLastLine)]...)
	}
}

// LastLine is the last line written since the log was opened.
func (l *Log) LastLine() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.last)
}

// Tail returns the last n bytes, or all there is.
func (l *Log) Tail(n int64) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	older, err := os.ReadFile(l.path + ".1")
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	newer, err := os.ReadFile(l.path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	all := append(older, newer...)
	return all[max(0, int64(len(all))-n):], nil
}

// Close ends writing. It is idempotent.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// Remove deletes the log after Close.
func (l *Log) Remove() {
	_ = os.Remove(l.path)
	_ = os.Remove(l.path + ".1")
}

// linger is how long the output of a process is read after its end. Who holds
// the other end open then has escaped from the group.
const linger = 250 * time.Millisecond

// Pipe returns the end to give to a process; what comes out goes to the log.
// The goroutine that reads ends with the pipe, at the latest linger after
// ended was called. The caller closes the file once the process has it.
func (l *Log) Pipe() (w *os.File, ended func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = r.Close() }()
		_, _ = io.Copy(l, r)
	}()
	ended = func() {
		_ = r.SetReadDeadline(time.Now().Add(linger))
		<-done
	}
	return w, ended, nil
}
