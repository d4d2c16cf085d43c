package async

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// kind names a call's bodies.
type kind byte

const (
	request kind = 'q'
	answer  kind = 'a'
)

var (
	bucketCalls  = []byte("calls")  // number of the call -> record
	bucketBodies = []byte("bodies") // number of the call, kind -> small body
)

// store keeps calls in a bbolt database, and bodies that are not small in files
// beside it. Keys are numbers that grow: each new call is written at the end of
// the tree, whatever its ID.
type store struct {
	db    *bolt.DB
	dir   string                // of the files
	fault func(op string) error // for tests: an error that op shall fail with

	mu      sync.Mutex
	waiting []*change
	closed  bool
	wake    chan struct{}
	ended   chan struct{}
}

// openStore opens or makes the store in dir.
func openStore(dir string, fault func(op string) error) (*store, error) {
	if fault == nil {
		fault = func(string) error { return nil }
	}
	s := &store{dir: filepath.Join(dir, "bodies"), fault: fault, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of asynchronous calls: %w", err)
	}
	path := filepath.Join(dir, "calls.db")
	// The node's lock keeps a second one away; the wait is for one that just ends.
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 5 * time.Second, NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("open the queue of asynchronous calls %s (move it away to start with an empty one): %w", path, err)
	}
	s.db = db
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucketCalls)
		_, err2 := tx.CreateBucketIfNotExists(bucketBodies)
		return errors.Join(err, err2)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the queue of asynchronous calls %s: %w", path, err), db.Close())
	}
	go s.commits() // ends with close
	return s, nil
}

// close commits what waits and closes the database.
func (s *store) close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.poke()
	<-s.ended
	return s.db.Close()
}

func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func bodyKey(seq uint64, k kind) []byte { return append(key(seq), byte(k)) }

// each calls fn with all records, in the order in which they were accepted.
// What cannot be read is reported to fn as a nil record, and left alone.
func (s *store) each(fn func(seq uint64, r *record, err error)) error {
	return s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketCalls).ForEach(func(k, v []byte) error {
			if len(k) != 8 {
				return nil
			}
			r, err := decode(v)
			fn(binary.BigEndian.Uint64(k), r, err)
			return nil
		})
	})
}

// load reads one record.
func (s *store) load(seq uint64) (r *record, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		v := tx.Bucket(bucketCalls).Get(key(seq))
		if v == nil {
			return fmt.Errorf("read a stored call: number %d: %w", seq, os.ErrNotExist)
		}
		r, err = decode(v)
		return err
	})
	return r, err
}

// open reads a body; the caller closes it.
func (s *store) open(seq uint64, k kind, p part) (io.ReadCloser, error) {
	if p.File {
		f, err := os.Open(s.path(seq, k))
		if err != nil {
			return nil, fmt.Errorf("read a stored body: %w", err)
		}
		return f, nil
	}
	var b []byte
	if p.Size > 0 {
		err := s.db.View(func(tx *bolt.Tx) error {
			b = bytes.Clone(tx.Bucket(bucketBodies).Get(bodyKey(seq, k)))
			return nil
		})
		if err == nil && int64(len(b)) != p.Size {
			err = fmt.Errorf("%d of %d bytes are there", len(b), p.Size)
		}
		if err != nil {
			return nil, fmt.Errorf("read a stored body: %w", err)
		}
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (s *store) path(seq uint64, k kind) string {
	return filepath.Join(s.dir, fmt.Sprintf("%016x%c", seq, k))
}

// create makes the file of a body.
func (s *store) create(seq uint64, k kind) (*os.File, error) {
	if err := s.fault("create"); err != nil {
		return nil, err
	}
	return os.OpenFile(s.path(seq, k), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

// unlink removes a body's file. A file that stays is removed at the next start.
func (s *store) unlink(seq uint64, k kind) { _ = os.Remove(s.path(seq, k)) }

// syncDir makes the files' names durable.
func (s *store) syncDir() error {
	if err := s.fault("syncdir"); err != nil {
		return err
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sweep removes the files that no record speaks of.
func (s *store) sweep(known func(name string) bool) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("look for left-over bodies: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !known(e.Name()) {
			_ = os.Remove(filepath.Join(s.dir, e.Name()))
		}
	}
	return nil
}
