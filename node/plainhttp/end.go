package plainhttp

import (
	"context"
	"errors"
	"time"
)

// Shutdown accepts nothing more, closes idle connections, and returns when all
// requests under way have been answered, or with ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopListening()
	rest := make(chan error, 1)
	go func() { rest <- s.http.Shutdown(ctx) }() // ends with ctx
	err := s.drain(ctx)
	return errors.Join(err, <-rest)
}

// slowestLook is how often Shutdown looks at what is still there.
const slowestLook = 100 * time.Millisecond

func (s *Server) drain(ctx context.Context) error {
	look := time.NewTimer(0)
	defer look.Stop()
	for pause := time.Millisecond; ; pause = min(2*pause, slowestLook) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
		conns := s.all()
		if len(conns) == 0 {
			return nil
		}
		for _, c := range conns {
			c.endIfIdle()
		}
		look.Reset(pause)
	}
}

// Close ends everything at once and waits for the goroutines of plain requests,
// whose clients are gone to their handlers.
func (s *Server) Close() error {
	s.stopListening()
	for _, c := range s.all() {
		c.hangUp()
	}
	err := s.http.Close()
	s.running.Wait()
	return err
}

func (s *Server) stopListening() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending.Store(true)
	if s.listener != nil {
		_ = s.listener.Close()
	}
}

func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		list = append(list, c)
	}
	return list
}
