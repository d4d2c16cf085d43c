package learner

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/sched"
)

// noted is a Learner that chooses the last of the actions, and notes what it is told.
type noted struct {
	lessons []sched.Lesson
	params  map[string]any
	resets  int
}

func (l *noted) Act(state []float64, actions []int) (int, float64) {
	if len(actions) > 0 {
		return actions[len(actions)-1], 0.25
	}
	return len(state), 0.25
}

func (l *noted) Train(lesson *sched.Lesson) error {
	if lesson.Action == 13 {
		return errors.New("no action 13")
	}
	l.lessons = append(l.lessons, *lesson)
	return nil
}

func (l *noted) Parameters() any                 { return map[string]any{"alpha": 0.5} }
func (l *noted) SetParameters(text []byte) error { return json.Unmarshal(text, &l.params) }
func (l *noted) Stats() any                      { return map[string]any{"inferences": len(l.lessons)} }
func (l *noted) Weights() any                    { return map[string]any{"table": [][]float64{{1}}} }
func (l *noted) Reset()                          { l.resets++ }

func listen(t *testing.T, l Learner) (*Server, string) {
	t.Helper()
	s := NewServer(l)
	mux := http.NewServeMux()
	s.Routes(mux, func(h http.Handler) http.Handler { return h })
	web := httptest.NewServer(mux)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		web.Close()
	})
	return s, web.URL
}

func TestServer(t *testing.T) {
	cases := []struct {
		name, method, path string
		header             map[string]string
		body               string
		status             int
		says               string
	}{
		{"act", "GET", "/act", map[string]string{headerState: "0,1,2"}, "", 200, "3"},
		{"act among", "GET", "/act", map[string]string{headerState: "0", headerActions: "1,7"}, "", 200, "7"},
		{"act on nothing", "GET", "/act", nil, "", 400, headerState},
		{"act on words", "GET", "/act", map[string]string{headerState: "a,b"}, "", 400, "no finite number"},
		{"act on too much", "GET", "/act", map[string]string{headerState: strings.Repeat("1,", 2000) + "1"}, "", 400, "2001 numbers"},
		{"train", "GET", "/train", map[string]string{headerEid: "4", headerState: "1,2", headerAction: "1", headerReward: "0.5"}, "", 200, "ok"},
		{"train without reward", "GET", "/train", map[string]string{headerEid: "4", headerState: "1,2", headerAction: "1"}, "", 400, "reward"},
		{"batch", "POST", "/train_batch", nil, `[{"eid":5,"state":"1,2","action":0,"reward":1}]`, 200, "ok"},
		{"batch of texts", "POST", "/train_batch", nil, `[{"eid":"6","state":[1,2],"action":"2.0","reward":"-1"}]`, 200, "ok"},
		{"empty batch", "POST", "/train_batch", nil, `[]`, 200, "ok"},
		{"batch of nothing", "POST", "/train_batch", nil, `{}`, 400, "JSON array"},
		{"batch with a hole", "POST", "/train_batch", nil, `[{"eid":5,"state":"1,2","action":0,"reward":1},{}]`, 400, "entry 1"},
		{"batch it refuses", "POST", "/train_batch", nil, `[{"eid":5,"state":"1","action":13,"reward":1}]`, 400, "no action 13"},
		{"batch too large", "POST", "/train_batch", nil, strings.Repeat(" ", maxBatch+1), 413, "in parts"},
		{"parameters", "GET", "/learner/parameters", nil, "", 200, `{"alpha":0.5}`},
		{"set parameters", "POST", "/learner/parameters", nil, `{"alpha":0.1}`, 200, "ok"},
		{"set nonsense", "POST", "/learner/parameters", nil, `alpha`, 400, "invalid character"},
		{"stats", "GET", "/learner/stats", nil, "", 200, `{"inferences":3}`},
		{"weights", "GET", "/learner/weights", nil, "", 200, `{"table":[[1]]}`},
		{"reset", "GET", "/learner/reset", nil, "", 200, "ok"},
	}
	l := new(noted)
	_, url := listen(t, l)
	for _, c := range cases {
		req, err := http.NewRequest(c.method, url+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range c.header {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.status || !strings.Contains(string(body), c.says) {
			t.Errorf("%s: %d %s", c.name, resp.StatusCode, body)
		}
		if c.name == "act" && resp.Header.Get(headerEps) != "0.25000" {
			t.Errorf("epsilon %q", resp.Header.Get(headerEps))
		}
	}
	want := []sched.Lesson{
		{Step: sched.Step{ID: 4, State: []float64{1, 2}, Action: 1}, Reward: 0.5},
		{Step: sched.Step{ID: 5, State: []float64{1, 2}}, Reward: 1},
		{Step: sched.Step{ID: 6, State: []float64{1, 2}, Action: 2}, Reward: -1},
	}
	if diff := cmp.Diff(want, l.lessons); diff != "" || l.resets != 1 || l.params["alpha"] != 0.1 {
		t.Errorf("%d resets, parameters %v, lessons %s", l.resets, l.params, diff)
	}
}

// Client and Server understand each other, over HTTP and over the socket.
func TestBothWays(t *testing.T) {
	_, url := listen(t, new(noted))
	socket := strings.Replace(url, "http", "ws", 1) + pathAct
	for _, c := range []struct {
		config Config
		action int
	}{{Config{URL: url}, 5}, {Config{URL: url, Socket: socket}, 3}} { // the socket does not tell actions
		client := start(t, c.config)
		for range 10 {
			if a := client.Ask(t.Context(), question(patient)); a != (sched.Advice{OK: true, Action: c.action, Epsilon: 0.25}) {
				t.Errorf("%+v: %+v", c.config, a)
			}
		}
		if client.sockets != nil && len(client.sockets.idle) != 1 {
			t.Errorf("%d connections for one question after another", len(client.sockets.idle))
		}
	}
}

// A question that means nothing ends the socket and nothing else.
func TestSocketRefuses(t *testing.T) {
	s, url := listen(t, new(noted))
	conn, _, err := websocket.Dial(t.Context(), url+pathAct, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("it ended with %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, resp, err := websocket.Dial(t.Context(), url+pathAct, nil); err == nil || resp.StatusCode != 503 {
		t.Errorf("after the end: %v", err)
	}
}

// One that answers late loses its connection: the answer must not be taken for
// that to the next question.
func TestSocketLate(t *testing.T) {
	release := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			_, text, err := conn.Read(t.Context())
			if err != nil {
				return
			}
			if strings.HasPrefix(string(text), "[1") {
				<-release
			}
			_ = conn.Write(t.Context(), websocket.MessageText, []byte(text[1:2]))
		}
	}))
	defer web.Close()
	client := start(t, Config{URL: web.URL, Socket: strings.Replace(web.URL, "http", "ws", 1)})
	late := question(100 * time.Millisecond)
	late.State = []float64{1}
	if a := client.Ask(t.Context(), late); a.OK {
		t.Errorf("late: %+v", a)
	}
	close(release)
	next := question(patient)
	next.State = []float64{2}
	if a := client.Ask(t.Context(), next); a.Action != 2 || client.counts.late.Load() != 1 {
		t.Errorf("next: %+v", a)
	}
}

// A learner that was restarted is asked over a new connection, at once.
func TestSocketAgain(t *testing.T) {
	mux := http.NewServeMux()
	web := httptest.NewServer(mux)
	defer web.Close()
	first, second := NewServer(new(noted)), NewServer(new(noted))
	defer second.Close()
	var turn atomic.Pointer[Server]
	turn.Store(first)
	mux.HandleFunc("/act", func(w http.ResponseWriter, r *http.Request) { turn.Load().act(w, r) })
	client := start(t, Config{URL: web.URL, Socket: strings.Replace(web.URL, "http", "ws", 1) + pathAct})
	if a := client.Ask(t.Context(), question(patient)); !a.OK {
		t.Fatal("no answer")
	}
	turn.Store(second)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if a := client.Ask(t.Context(), question(patient)); !a.OK {
		t.Errorf("after a restart no answer, but %+v", a)
	}
}
