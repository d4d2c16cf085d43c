package learner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/p2pfaas/p2pfaas/sched"
)

// sockets are connections to P2PFaaS's streaming socket: a JSON array of numbers
// goes out, "action,epsilon" comes back. An answer does not say to which question, so
// each connection has one at a time, and ends with one that is not answered in time.
type sockets struct {
	url  string
	http *http.Client

	mu     sync.Mutex
	idle   []*websocket.Conn
	closed bool
}

func (s *sockets) ask(ctx context.Context, q *sched.Question) (sched.Advice, error) {
	if conn := s.take(); conn != nil {
		a, err := s.exchange(ctx, conn, q)
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrWrong) {
			return a, err
		}
		s.drop() // the learner was away: the others are as dead as this one
	}
	conn, _, err := websocket.Dial(ctx, s.url, &websocket.DialOptions{HTTPClient: s.http})
	if err != nil {
		return sched.Advice{}, err
	}
	conn.SetReadLimit(maxAnswer)
	return s.exchange(ctx, conn, q)
}

// exchange keeps the connection only if it was answered.
func (s *sockets) exchange(ctx context.Context, conn *websocket.Conn, q *sched.Question) (sched.Advice, error) {
	a, err := exchange(ctx, conn, q)
	if err != nil {
		_ = conn.CloseNow()
		return sched.Advice{}, err
	}
	s.put(conn)
	return a, nil
}

func exchange(ctx context.Context, conn *websocket.Conn, q *sched.Question) (sched.Advice, error) {
	text, err := json.Marshal(q.State)
	if err != nil {
		return sched.Advice{}, fmt.Errorf("write the state: %w", err)
	}
	if err := conn.Write(ctx, websocket.MessageText, text); err != nil {
		return sched.Advice{}, err
	}
	_, answer, err := conn.Read(ctx)
	if err != nil {
		return sched.Advice{}, err
	}
	action, epsilon, _ := strings.Cut(string(answer), ",")
	return parseAdvice(action, epsilon)
}

// take is an idle connection, nil if there is none.
func (s *sockets) take() *websocket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	if n == 0 {
		return nil
	}
	conn := s.idle[n-1]
	s.idle = s.idle[:n-1]
	return conn
}

func (s *sockets) put(conn *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.idle) >= maxIdle {
		_ = conn.CloseNow()
		return
	}
	s.idle = append(s.idle, conn)
}

// drop closes those that are idle.
func (s *sockets) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.idle {
		_ = conn.CloseNow()
	}
	s.idle = nil
}

func (s *sockets) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.drop()
}
