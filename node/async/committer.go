package async

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// errStoreClosed: the node is ending.
var errStoreClosed = errors.New("the queue is closed")

// maxBatch bounds the changes of one transaction: what waits behind it is
// written next.
const maxBatch = 512

// change is what one call wants written.
type change struct {
	seq    uint64
	record []byte          // nil: the call is dropped, its small bodies too
	bodies map[kind][]byte // small bodies to put; nil ones are dropped
	files  bool            // a body's file was made: its name must be durable first
	done   chan error      // one value; buffered
}

// commit returns when c is durable. While one transaction is synced to disk, all
// changes that arrive wait for the next, and share its sync: nobody waits for
// company, and many cost little more than one.
func (s *store) commit(c *change) error {
	s.enqueue(c)
	return <-c.done
}

// enqueue has c committed; c.done tells when.
func (s *store) enqueue(c *change) {
	c.done = make(chan error, 1)
	s.mu.Lock()
	if s.closed {
		c.done <- errStoreClosed
	} else {
		s.waiting = append(s.waiting, c)
	}
	s.mu.Unlock()
	s.poke()
}

func (s *store) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// commits writes until the store is closed and nothing waits.
func (s *store) commits() {
	defer close(s.ended)
	for {
		batch, closed := s.next()
		if len(batch) > 0 {
			err := s.write(batch)
			for _, c := range batch {
				c.done <- err
			}
			continue
		}
		if closed {
			return
		}
		<-s.wake
	}
}

func (s *store) next() (batch []*change, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), maxBatch)
	batch = s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	return batch, s.closed
}

func (s *store) write(batch []*change) error {
	for _, c := range batch {
		if c.files {
			if err := s.syncDir(); err != nil {
				return fmt.Errorf("store asynchronous calls: %w", err)
			}
			break // once for all
		}
	}
	err := s.db.Update(func(tx *bolt.Tx) error {
		calls, bodies := tx.Bucket(bucketCalls), tx.Bucket(bucketBodies)
		calls.FillPercent, bodies.FillPercent = .9, .9 // keys grow
		for _, c := range batch {
			if err := c.apply(calls, bodies); err != nil {
				return err
			}
		}
		return s.fault("commit")
	})
	if err != nil {
		return fmt.Errorf("store asynchronous calls: %w", err)
	}
	return nil
}

func (c *change) apply(calls, bodies *bolt.Bucket) error {
	if c.record == nil {
		return errors.Join(calls.Delete(key(c.seq)), bodies.Delete(bodyKey(c.seq, request)), bodies.Delete(bodyKey(c.seq, answer)))
	}
	if err := calls.Put(key(c.seq), c.record); err != nil {
		return err
	}
	for k, b := range c.bodies {
		var err error
		if b == nil {
			err = bodies.Delete(bodyKey(c.seq, k))
		} else {
			err = bodies.Put(bodyKey(c.seq, k), b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
