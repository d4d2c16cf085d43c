package learner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/p2pfaas/p2pfaas/faas/api"
	"github.com/p2pfaas/p2pfaas/sched"
)

// Learner learns which action is best in a state. One caller at a time.
type Learner interface {
	// Act chooses one of the actions, of all that it knows if none are named; epsilon
	// is the share of its answers that explore.
	Act(state []float64, actions []int) (action int, epsilon float64)
	// Train takes in what an action has earned, in any order.
	Train(l *sched.Lesson) error
	// Parameters, Stats and Weights are shown as JSON.
	Parameters() any
	// SetParameters changes those that are in the JSON object.
	SetParameters(text []byte) error
	Stats() any
	Weights() any
	// Reset forgets all but the parameters.
	Reset()
}

// Server serves a Learner. It is safe for concurrent use.
type Server struct {
	mu      sync.Mutex // one call of the learner at a time
	learner Learner

	open   context.Context // until Close
	end    context.CancelFunc
	guard  sync.Mutex // of what follows
	closed bool
	served sync.WaitGroup // sockets
}

// NewServer makes a Server of that learner, which nobody else may call.
func NewServer(l Learner) *Server {
	s := &Server{learner: l}
	s.open, s.end = context.WithCancel(context.Background())
	return s
}

// Close ends the sockets, which the HTTP server does not know any more, and
// waits for that.
func (s *Server) Close() error {
	s.guard.Lock()
	s.closed = true
	s.guard.Unlock()
	s.end()
	s.served.Wait()
	return nil
}

// enter counts a socket; false after Close.
func (s *Server) enter() bool {
	s.guard.Lock()
	defer s.guard.Unlock()
	if !s.closed {
		s.served.Add(1)
	}
	return !s.closed
}

// Routes adds the endpoints, each behind guard.
func (s *Server) Routes(mux *http.ServeMux, guard func(http.Handler) http.Handler) {
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET " + pathAct:           s.act,
		"GET " + pathTrain:         s.train,
		"POST " + pathTrainBatch:   s.trainBatch,
		"GET /learner/parameters":  s.show(func(l Learner) any { return l.Parameters() }),
		"POST /learner/parameters": s.setParameters,
		"GET /learner/stats":       s.show(func(l Learner) any { return l.Stats() }),
		"GET /learner/weights":     s.show(func(l Learner) any { return l.Weights() }),
		"GET /learner/reset":       s.reset,
		"POST /learner/reset":      s.reset,
	} {
		mux.Handle(pattern, guard(serve))
	}
}

func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		s.stream(w, r)
		return
	}
	if _, ok := r.Header[headerState]; !ok {
		fail(w, r, fmt.Errorf("%w: the header %s is missing", ErrWrong, headerState))
		return
	}
	state, err := parseState(r.Header.Get(headerState))
	var actions []int
	if err == nil {
		actions, err = parseActions(r.Header.Get(headerActions))
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	action, epsilon := s.choose(state, actions)
	w.Header().Set(headerEps, strconv.FormatFloat(epsilon, 'f', 5, 64))
	_, _ = io.WriteString(w, strconv.Itoa(action)) // fails only when the client has gone
}

func (s *Server) choose(state []float64, actions []int) (action int, epsilon float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.learner.Act(state, actions)
}

// Snapshot is what the Learner has learned. It is nil for one that is no
// [sched.Snapshotter].
func (s *Server) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if learner, ok := s.learner.(sched.Snapshotter); ok {
		return learner.Snapshot()
	}
	return nil, nil
}

// Restore has the Learner go on from a Snapshot; the error is the Learner's. One that
// is no [sched.Snapshotter] stays as it is.
func (s *Server) Restore(snapshot []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if learner, ok := s.learner.(sched.Snapshotter); ok {
		return learner.Restore(snapshot)
	}
	return nil
}

// Ask puts a question to the Learner itself.
func (s *Server) Ask(_ context.Context, q *sched.Question) sched.Advice {
	action, epsilon := s.choose(q.State, q.Actions)
	return sched.Advice{OK: true, Action: action, Epsilon: epsilon}
}

// Teach has the Learner itself learn.
func (s *Server) Teach(l *sched.Lesson) {
	if err := s.learn(*l); err != nil {
		log.Errorw("the learner refused a reward of this node's own", "error", err)
	}
}

// stream answers questions over the socket until the client goes. A question
// that means nothing ends it.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		api.Error(w, r, http.StatusServiceUnavailable, "unavailable", "this node is going away", "")
		return
	}
	defer s.served.Done()
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has answered
	}
	defer conn.CloseNow()
	for {
		_, text, err := conn.Read(s.open)
		if err != nil {
			return
		}
		state, err := parseQuestion(text)
		if err != nil {
			_ = conn.Close(websocket.StatusUnsupportedData, fmt.Sprintf("%.100s", err))
			return
		}
		action, epsilon := s.choose(state, nil)
		if conn.Write(s.open, websocket.MessageText, fmt.Appendf(nil, "%d,%.5f", action, epsilon)) != nil {
			return
		}
	}
}

func (s *Server) train(w http.ResponseWriter, r *http.Request) {
	h := r.Header
	lesson, err := parseLesson(h.Get(headerEid), h.Get(headerState), h.Get(headerAction), h.Get(headerReward))
	if err == nil {
		err = s.learn(lesson)
	}
	done(w, r, err)
}

func (s *Server) trainBatch(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBatch))
	var lessons []sched.Lesson
	if err == nil {
		lessons, err = parseBatch(text)
	}
	if err == nil {
		err = s.learn(lessons...)
	}
	done(w, r, err)
}

// learn takes in all that can be, and tells of the first that cannot.
func (s *Server) learn(lessons ...sched.Lesson) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first error
	for i := range lessons {
		if err := s.learner.Train(&lessons[i]); err != nil && first == nil {
			first = fmt.Errorf("%w: eid %d: %w", ErrWrong, lessons[i].ID, err)
		}
	}
	return first
}

// show answers with what read makes.
func (s *Server) show(read func(Learner) any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		v := read(s.learner)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // fails only when the client has gone
	}
}

func (s *Server) setParameters(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxChange))
	if err == nil {
		s.mu.Lock()
		err = s.learner.SetParameters(text)
		s.mu.Unlock()
	}
	done(w, r, err)
}

func (s *Server) reset(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.learner.Reset()
	s.mu.Unlock()
	log.Infow("the learner has been reset")
	done(w, r, nil)
}

func done(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		fail(w, r, err)
		return
	}
	_, _ = io.WriteString(w, "ok") // fails only when the client has gone
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		api.Error(w, r, http.StatusRequestEntityTooLarge, "invalid", fmt.Sprintf("more than %d bytes", large.Limit), "send it in parts")
		return
	}
	api.Error(w, r, http.StatusBadRequest, "invalid", err.Error(), "")
}
