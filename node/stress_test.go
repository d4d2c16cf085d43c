package node_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/client"
)

// unanswered is when a call counts as one that will never be answered.
const unanswered = 30 * time.Second

// TestBytesSurviveStress sends bodies of all sizes through two nodes, 32 at once,
// to a function that answers before, while and after it reads, some of them
// cancelled on the way. Each call ends, and no answer has another one's bytes.
func TestBytesSurviveStress(t *testing.T) {
	function := httptest.NewServer(http.HandlerFunc(mirror))
	t.Cleanup(function.Close)
	runs := startNode(t)
	deploy(t, runs, function.Listener.Addr().String())
	forwards := startNode(t, farther(t, runs.Ready().Addrs[0]))
	sdk, err := client.Dial(t.Context(), farther(t, forwards.Ready().Addrs[0]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sdk.Close() })
	s := &stress{sdk: sdk, url: "http://" + forwards.Ready().HTTP + "/function/echo"}
	s.untilKnown(t)
	stop := time.Now().Add(3 * time.Second)
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			for r := rand.New(rand.NewPCG(uint64(i), 7)); time.Now().Before(stop) && !t.Failed(); {
				if err := s.call(r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d calls answered, %d cancelled", s.answered.Load(), s.cancelled.Load())
	if s.answered.Load() < 32 || s.cancelled.Load() == 0 {
		t.Error("too few calls to tell")
	}
}

// mirror answers with the request's body, as its query wants: "early" before it
// reads any of it, and without it; "stream" while it reads; else once it has all.
func mirror(w http.ResponseWriter, r *http.Request) {
	switch r.URL.RawQuery {
	case "early":
		_, _ = io.WriteString(w, "early")
	case "stream":
		rc := http.NewResponseController(w)
		_ = rc.EnableFullDuplex()
		w.WriteHeader(http.StatusOK)
		_ = rc.Flush()
		_, _ = io.Copy(w, r.Body)
	default:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(body)
	}
}

type stress struct {
	sdk                 *client.Client
	url                 string
	answered, cancelled atomic.Int64
}

func (s *stress) untilKnown(t *testing.T) {
	t.Helper()
	r := rand.New(rand.NewPCG(0, 0))
	for end := time.Now().Add(unanswered); ; time.Sleep(20 * time.Millisecond) {
		err := s.overHTTP(t.Context(), "", content(r, 10))
		if err == nil {
			return
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// call makes one call of a kind that r chooses, and says what was wrong with it.
func (s *stress) call(r *rand.Rand) error {
	sizes := []int{0, 1, 1 << 10, 5 << 10, 64 << 10, 64<<10 + 1, 200 << 10, 256 << 10, 256<<10 + 1, 600 << 10, 1 << 20}
	body := content(r, sizes[r.IntN(len(sizes))])
	how := []string{"", "", "stream", "early"}[r.IntN(4)]
	way := r.IntN(4)
	ctx, cancel := context.WithTimeout(context.Background(), unanswered)
	defer cancel()
	cancels := r.IntN(5) == 0
	if cancels {
		time.AfterFunc(time.Duration(r.IntN(60_000))*time.Microsecond, cancel)
	}
	var err error
	switch way {
	case 0:
		err = s.overHTTP(ctx, how, body)
	case 1:
		err = s.overSDK(ctx, how, body, bytes.NewReader(body), int64(len(body)))
	case 2:
		err = s.overSDK(ctx, how, body, io.MultiReader(bytes.NewReader(body)), int64(len(body)))
	default:
		err = s.overSDK(ctx, how, body, io.MultiReader(bytes.NewReader(body)), -1)
	}
	if cancels && err != nil && !errors.As(err, new(*wrong)) {
		s.cancelled.Add(1)
		return nil
	}
	if err != nil {
		return fmt.Errorf("way %d, %q, %d bytes: %w", way, how, len(body), err)
	}
	s.answered.Add(1)
	return nil
}

// content is n bytes that no other call has.
func content(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 8 {
		v := r.Uint64()
		for j := i; j < min(i+8, n); j++ {
			b[j] = byte(v >> (8 * (j - i)))
		}
	}
	return b
}

// wrong is an answer that is not this call's.
type wrong struct{ got, want int }

func (w *wrong) Error() string {
	return fmt.Sprintf("%d bytes answered where %d were due", w.got, w.want)
}

func (s *stress) overHTTP(ctx context.Context, how string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"?"+how, bytes.NewReader(body))
	if err != nil {
		return err
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	return check(a.StatusCode, a.Body, how, body)
}

func (s *stress) overSDK(ctx context.Context, how string, body []byte, from io.Reader, size int64) error {
	a, err := s.sdk.Invoke(ctx, &client.Request{Function: "echo", Query: how, Body: from, Size: size})
	if err != nil {
		return err
	}
	return check(a.Status, a.Body, how, body)
}

func check(status int, body io.ReadCloser, how string, want []byte) error {
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("status %d, %.100q, then %w", status, got, cmp.Or(err, io.EOF))
	}
	if how == "early" {
		want = []byte("early")
	}
	if !bytes.Equal(got, want) {
		return &wrong{len(got), len(want)}
	}
	return nil
}

// farther is the address of one who passes on what comes to addr, either way 10 ms
// later.
func farther(t *testing.T, addr string) string {
	parts := strings.Split(addr, "/") // /ip4/HOST/tcp/PORT/p2p/ID
	there := net.JoinHostPort(parts[2], parts[4])
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", there)
			if err != nil {
				_ = near.Close()
				return
			}
			go later(near, far)
			go later(far, near)
		}
	}()
	_, parts[4], _ = net.SplitHostPort(listener.Addr().String())
	return strings.Join(parts, "/")
}

// later passes on what it reads 10 ms later. It ends with from.
func later(to, from net.Conn) {
	type piece struct {
		b   []byte
		due time.Time
	}
	way := make(chan piece, 1<<10)
	go func() {
		defer to.Close()
		for p := range way {
			time.Sleep(time.Until(p.due))
			_, _ = to.Write(p.b)
		}
	}()
	defer close(way)
	for {
		b := make([]byte, 64<<10)
		n, err := from.Read(b)
		if n > 0 {
			way <- piece{b[:n], time.Now().Add(10 * time.Millisecond)}
		}
		if err != nil {
			return
		}
	}
}
