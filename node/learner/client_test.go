package learner

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/sched"
)

// serve is a learner made of one function, and a client of it.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return start(t, Config{URL: s.URL})
}

func start(t *testing.T, c Config) *Client {
	t.Helper()
	client := NewClient(c)
	client.Start()
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

func question(within time.Duration) *sched.Question {
	return &sched.Question{State: []float64{0, 1.5, 2}, Actions: []int{0, 1, 2, 5}, Within: within}
}

const patient = 20 * time.Second

func TestAsk(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got := []string{r.Method, r.URL.Path, r.Header.Get(headerState), r.Header.Get(headerActions)}
		if want := []string{"GET", "/act", "0,1.5,2", "0,1,2,5"}; !slices.Equal(got, want) {
			t.Errorf("the learner got %q, want %q", got, want)
		}
		w.Header().Set(headerEps, "0.12500")
		fmt.Fprintln(w, 5)
	})
	if a := c.Ask(t.Context(), question(patient)); a != (sched.Advice{OK: true, Action: 5, Epsilon: 0.125}) {
		t.Errorf("%+v", a)
	}
}

// What is no answer is no advice, and counted as what it is.
func TestAskInVain(t *testing.T) {
	wrong := func(status int, header, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(headerEps, header)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	silent := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	slow := func(w http.ResponseWriter, r *http.Request) { // begins in time, and does not end
		_, _ = io.WriteString(w, "1")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "1")
		panic(http.ErrAbortHandler)
	}
	cases := []struct {
		name   string
		serve  http.HandlerFunc
		within time.Duration
		counts [4]uint64 // answered, late, unreachable, wrong
	}{
		{"silent", silent, 20 * time.Millisecond, [4]uint64{0, 1, 0, 0}},
		{"slow", slow, 20 * time.Millisecond, [4]uint64{0, 1, 0, 0}},
		{"cut", cut, patient, [4]uint64{0, 0, 1, 0}},
		{"error", wrong(500, "", ""), patient, [4]uint64{0, 0, 0, 1}},
		{"no action", wrong(200, "", "left"), patient, [4]uint64{0, 0, 0, 1}},
		{"half an action", wrong(200, "", "1.5"), patient, [4]uint64{0, 0, 0, 1}},
		{"nothing", wrong(200, "", ""), patient, [4]uint64{0, 0, 0, 1}},
		{"no number", wrong(200, "", "NaN"), patient, [4]uint64{0, 0, 0, 1}},
		{"epsilon", wrong(200, "small", "1"), patient, [4]uint64{0, 0, 0, 1}},
		{"endless", wrong(200, "", strings.Repeat("1", 1<<20)), patient, [4]uint64{0, 0, 0, 1}},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) }, patient, [4]uint64{0, 0, 1, 0}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client := serve(t, c.serve)
			if a := client.Ask(t.Context(), question(c.within)); a != (sched.Advice{}) {
				t.Errorf("advice %+v", a)
			}
			n := &client.counts
			if got := [4]uint64{n.answered.Load(), n.late.Load(), n.unreachable.Load(), n.wrong.Load()}; got != c.counts {
				t.Errorf("counts %v, want %v", got, c.counts)
			}
		})
	}
}

func TestAskNobody(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	c := start(t, Config{URL: s.URL, Socket: strings.Replace(s.URL, "http", "ws", 1)})
	if a := c.Ask(t.Context(), question(patient)); a.OK {
		t.Errorf("advice %+v", a)
	}
	c = start(t, Config{URL: s.URL})
	if a := c.Ask(t.Context(), question(patient)); a.OK || c.counts.unreachable.Load() != 1 {
		t.Errorf("advice %+v", a)
	}
}

// taught is a learner that keeps what it is told, unless it is down.
type taught struct {
	mu      sync.Mutex
	batches int
	lessons []sched.Lesson
	status  int
}

func (k *taught) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	lessons, err := parseBatch(text)
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.URL.Path != "/train_batch" || err != nil {
		k.status = 400
	}
	if k.status != 0 {
		w.WriteHeader(k.status)
		return
	}
	k.batches++
	k.lessons = append(k.lessons, lessons...)
}

func (k *taught) seen() (batches, lessons int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.batches, len(k.lessons)
}

func lesson(id uint64) *sched.Lesson {
	return &sched.Lesson{Step: sched.Step{ID: id, State: []float64{1, 2.5}, Action: 3}, Reward: 0.75}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

func TestTeach(t *testing.T) {
	k := new(taught)
	c := serve(t, k.ServeHTTP)
	for id := range uint64(1200) {
		c.Teach(lesson(id))
	}
	eventually(t, "all lessons arrive", func() bool { _, n := k.seen(); return n == 1200 })
	if batches, _ := k.seen(); batches > 10 {
		t.Errorf("1200 lessons came in %d batches", batches)
	}
	for id := range uint64(1200) {
		if diff := cmp.Diff(*lesson(id), k.lessons[id]); diff != "" {
			t.Fatal(diff)
		}
	}
	if c.counts.told.Load() != 1200 {
		t.Errorf("told %d", c.counts.told.Load())
	}
}

// What is left when a node ends is told before it has ended.
func TestTeachAtTheEnd(t *testing.T) {
	k := new(taught)
	s := httptest.NewServer(k)
	defer s.Close()
	c := NewClient(Config{URL: s.URL})
	c.Start()
	for id := range uint64(700) {
		c.Teach(lesson(id))
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, n := k.seen(); n != 700 {
		t.Errorf("%d of 700 lessons arrived", n)
	}
}

// What a learner refuses is dropped, as it would refuse it again.
func TestTeachRefused(t *testing.T) {
	k := &taught{status: 500}
	c := serve(t, k.ServeHTTP)
	c.Teach(lesson(1))
	eventually(t, "it is dropped", func() bool {
		c.rewards.mu.Lock()
		defer c.rewards.mu.Unlock()
		return c.rewards.dropped == 1
	})
}

// While the learner is away, lessons wait in bounded memory: the latest.
func TestTeachNobody(t *testing.T) {
	k := new(taught)
	s := httptest.NewServer(k)
	addr := s.Listener.Addr().String()
	s.Close()
	c := start(t, Config{URL: "http://" + addr})
	for id := range uint64(2 * mostPending) {
		c.Teach(lesson(id))
	}
	kept := func() int { c.rewards.mu.Lock(); defer c.rewards.mu.Unlock(); return len(c.rewards.pending) }
	if n := kept(); n > mostPending {
		t.Errorf("%d lessons are kept", n)
	}
	eventually(t, "a post has failed and its lessons are back", func() bool { return kept() == mostPending })
	c.rewards.mu.Lock()
	defer c.rewards.mu.Unlock()
	if last := c.rewards.pending[mostPending-1].Eid; last != json.Number(fmt.Sprint(2*mostPending-1)) {
		t.Errorf("the last that is kept is %s", last)
	}
}
