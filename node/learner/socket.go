package learner

import (
	"context"
	"encoding/json"
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
	conn, err := s.take(ctx)
	if err != nil {
		return sched.Advice{}, err
	}
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

// take is an idle connection, or a new one.
func (s *sockets) take(ctx context.Context) (*websocket.Conn, error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		conn := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return conn, nil
	}
	s.mu.Unlock()
	conn, _, err := websocket.Dial(ctx, s.url, &websocket.DialOptions{HTTPClient: s.http})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxAnswer)
	return conn, nil
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

func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, conn := range s.idle {
		_ = conn.CloseNow()
	}
	s.idle = nil
}
