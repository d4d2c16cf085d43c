package child

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// MaxLine is how many bytes of a line are kept; what is longer is cut, and says
// so at its end.
const MaxLine = 16 << 10

// Log keeps the last lines of a function's processes in two files, of which the
// older is dropped when the newer is full. A file holds whole lines only, each
// with its time and the instance that wrote it; see entry. Safe for concurrent use.
type Log struct {
	path    string
	limit   int64 // of one file
	maxLine int

	mu    sync.Mutex // guards what follows; writing lines and opening files is its I/O
	file  *os.File   // nil: closed
	end   position
	gone  bool          // the files belong to another log, if they are there
	grown chan struct{} // closed, and made anew, when end moves or the log is closed
	buf   []byte
	last  []byte
}

// position is a place in the files of a Log.
type position struct {
	turn int // how often the files had been turned
	size int64
}

const maxLastLine = 256

// OpenLog continues the log at path, which takes at most limit bytes of disk.
func OpenLog(path string, limit int64) (*Log, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	half := max(limit/2, minLog)
	l := &Log{path: path, limit: half, maxLine: int(min(MaxLine, half/2)), grown: make(chan struct{})}
	return l, l.open()
}

// minLog has room for a line that says something.
const minLog = 512

func (l *Log) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	size, err := mend(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.end.size = f, size
	return nil
}

// mend cuts off a line that a crash left without its end.
func mend(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	tail := make([]byte, min(info.Size(), maxEntry))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil && err != io.EOF {
		return 0, err
	}
	torn := len(tail) - (bytes.LastIndexByte(tail, '\n') + 1)
	if torn == 0 {
		return info.Size(), nil
	}
	size := info.Size() - int64(torn)
	return size, f.Truncate(size)
}

// Print writes what is said about an instance, not by it.
func (l *Log) Print(instance, text string) {
	l.append(instance, bytes.Split([]byte(text), []byte{'\n'}), false)
}

// append writes lines. A full disk loses lines, not the function: it never fails.
func (l *Log) append(instance string, lines [][]byte, remember bool) {
	if len(lines) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = l.buf[:0]
	now := time.Now()
	for _, line := range lines {
		if len(line) > l.maxLine {
			line = line[:l.maxLine]
		}
		l.buf = appendEntry(l.buf, now, instance, line)
		if remember {
			l.remember(line)
		}
	}
	for rest := l.buf; len(rest) > 0 && l.file != nil; {
		rest = rest[l.write(rest):]
	}
	l.wake()
}

// write writes the entries that the file has room for, and turns the files if
// it has none. It returns how much is done with.
func (l *Log) write(entries []byte) int {
	room := entries[:max(0, min(int64(len(entries)), l.limit-l.end.size))]
	n := bytes.LastIndexByte(room, '\n') + 1
	if n == 0 {
		l.turn()
		return 0
	}
	if _, err := l.file.Write(entries[:n]); err != nil {
		_ = l.file.Truncate(l.end.size) // no half lines
		return len(entries)
	}
	l.end.size += int64(n)
	return n
}

func (l *Log) turn() {
	_ = l.file.Close()
	l.file = nil
	if l.gone || os.Rename(l.path, l.path+olderSuffix) != nil {
		return
	}
	l.end = position{turn: l.end.turn + 1}
	_ = l.open()
}

const olderSuffix = ".1"

// wake is called with mu held.
func (l *Log) wake() {
	close(l.grown)
	l.grown = make(chan struct{})
}

// remember keeps the last line that says something.
func (l *Log) remember(line []byte) {
	if line = bytes.TrimSpace(line); len(line) > 0 {
		l.last = append(l.last[:0], line[:min(len(line), maxLastLine)]...)
	}
}

// LastLine is the last line that a process wrote since the log was opened.
func (l *Log) LastLine() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.last)
}

// Close ends writing, and following once all is read. It is idempotent.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	l.wake()
	return err
}

// Remove deletes the files. The log can still be written and followed until it is
// closed or the file full; its path is free for another.
func (l *Log) Remove() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return
	}
	l.gone = true
	RemoveLog(l.path)
}

// RemoveLog deletes the files of a log that is not open, if there are any.
func RemoveLog(path string) {
	_ = os.Remove(path)
	_ = os.Remove(path + olderSuffix)
}
