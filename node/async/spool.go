package async

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// smallBody is the size up to which a body lies beside its record, in bytes. A
// file of its own costs two more disk syncs; a larger value makes the commit
// longer that all share. Measured (see BenchmarkAccept): 16 KB beside the record
// take 0.6 of a file's time, one client or 64; 64 KB 0.5 with one client, but 1.3
// with 64.
const smallBody = 16 << 10

// copySize is how much of a body is read at once, and accounted for at once.
const copySize = 64 << 10

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, copySize); return &b }}

var (
	// ErrNoRoom: the disk, or the part of it that calls may take, is full.
	ErrNoRoom = errors.New("no room on disk")
	// errTooLarge: one body is larger than any may be.
	errTooLarge = errors.New("body too large")
	// errSource: what the body is read from failed.
	errSource = errors.New("body broke off")
)

// noRoom turns the disk's own word for it into ErrNoRoom.
func noRoom(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	return err
}

// space accounts for what the calls' bodies and records take on disk.
type space struct {
	mu    sync.Mutex
	limit int64
	used  int64
}

func (s *space) take(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+n > s.limit {
		return fmt.Errorf("%w: asynchronous calls take %d MB of the %d MB that they may (async-disk)", ErrNoRoom, s.used>>20, s.limit>>20)
	}
	s.used += n
	return nil
}

func (s *space) give(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
}

func (s *space) taken() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// spooled is a body on its way to the store: small ones are in memory.
type spooled struct {
	part
	small []byte
}

// spool reads src to its end, into memory while it is small, else into the
// body's file, which is synced. take is asked for the room beforehand. What was
// taken is given back, and the file removed, on error.
func (e *Engine) spool(seq uint64, k kind, src io.Reader, most int64, take func(int64) error) (s spooled, err error) {
	defer func() {
		if err != nil {
			e.discard(seq, k, s.part)
			s, err = spooled{}, noRoom(err)
		}
	}()
	buffer := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buffer)
	n, last := readFull(src, (*buffer)[:smallBody+1])
	if err := take(int64(n)); err != nil {
		return s, err
	}
	s.Size = int64(n)
	if n <= smallBody && last == io.EOF {
		s.small = append(make([]byte, 0, n), (*buffer)[:n]...)
		return s, nil
	}
	if last != nil {
		return s, fmt.Errorf("%w: %w", errSource, last)
	}
	s.File = true
	f, err := e.store.create(seq, k)
	if err != nil {
		return s, fmt.Errorf("store a body: %w", err)
	}
	err = e.fill(f, *buffer, n, src, &s, most, take)
	if err == nil {
		if err = e.store.fault("sync"); err == nil {
			err = f.Sync()
		}
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return s, err
}

// fill writes the n bytes that were read, and then the rest.
func (e *Engine) fill(f *os.File, buffer []byte, n int, src io.Reader, s *spooled, most int64, take func(int64) error) error {
	for {
		if err := e.store.fault("write"); err != nil {
			return err
		}
		if _, err := f.Write(buffer[:n]); err != nil {
			return fmt.Errorf("store a body: %w", err)
		}
		var last error
		if n, last = readFull(src, buffer); n > 0 {
			if s.Size+int64(n) > most {
				return fmt.Errorf("%w: more than %d MB, the most that one may have", errTooLarge, most>>20)
			}
			if err := take(int64(n)); err != nil {
				return err
			}
			s.Size += int64(n)
		}
		if n == 0 && last == io.EOF {
			return nil
		}
		if last != nil && last != io.EOF {
			return fmt.Errorf("%w: %w", errSource, last)
		}
	}
}

// readFull reads until b is full, or an error that it returns as it is.
func readFull(src io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = src.Read(b[n:])
		n += m
	}
	return n, err
}

// discard gives up a body that was spooled but not committed.
func (e *Engine) discard(seq uint64, k kind, p part) {
	e.space.give(p.Size)
	if p.File {
		e.store.unlink(seq, k)
	}
}
