package async

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	corehost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"go.uber.org/goleak"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is generous: the machine may be busy with other things.
const limit = 20 * time.Second

var _ Gate = (*host.Access)(nil)

// kept is what a node that is only a map has of calls.
type kept struct {
	mu       sync.Mutex
	calls    map[string]Call
	bodies   map[string][]byte
	statuses map[string]Status
	results  map[string]io.ReadCloser
	cut      error // how the last Keep failed
	from     peer.ID
}

func newKept() *kept {
	return &kept{calls: map[string]Call{}, bodies: map[string][]byte{}, statuses: map[string]Status{}, results: map[string]io.ReadCloser{}}
}

func (k *kept) Keep(_ context.Context, from peer.ID, c Call, body io.Reader) error {
	b, err := io.ReadAll(body)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.from, k.cut = from, err
	if err != nil {
		return err
	}
	k.calls[c.ID], k.bodies[c.ID] = c, b
	return nil
}

func (k *kept) Forget(_ context.Context, _ peer.ID, id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.calls, id)
	return nil
}

func (k *kept) Find(_ context.Context, _ peer.ID, id string, wantResult bool) (Status, io.ReadCloser, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.statuses[id]
	if !ok {
		return Status{}, nil, ErrNotFound
	}
	if !wantResult || k.results[id] == nil {
		return s, nil, nil
	}
	return s, k.results[id], nil
}

func (k *kept) Cancel(_ context.Context, _ peer.ID, id string) (Status, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.statuses[id]
	switch {
	case !ok:
		return s, ErrNotFound
	case s.State.Ended():
		return s, fmt.Errorf("cancel %s: %w", id, ErrFinished)
	}
	s.State = Cancelled
	k.statuses[id] = s
	return s, nil
}

func (k *kept) Alive(_ context.Context, _ peer.ID, ids []string) ([]string, error) {
	alive := []string{"never-asked"}
	for _, id := range ids {
		if strings.HasSuffix(id, "7") {
			alive = append(alive, id)
		}
	}
	return alive, nil
}

func (k *kept) has(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.calls[id]
	return ok
}

func newHost(t *testing.T) corehost.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// pair is a host that asks, connected to a Server with handlers.
func pair(t *testing.T, handlers Handlers, g Gate) (asker corehost.Host, s *Server, answerer corehost.Host) {
	t.Helper()
	asker, answerer = newHost(t), newHost(t)
	s = NewServer(answerer, handlers, g)
	s.Start()
	t.Cleanup(func() { _ = s.Close() })
	if err := asker.Connect(context.Background(), peer.AddrInfo{ID: answerer.ID(), Addrs: answerer.Addrs()}); err != nil {
		t.Fatal(err)
	}
	return asker, s, answerer
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// sampleCall has a value in each field.
func sampleCall(id string, size int64) Call {
	return Call{
		ID: id, Function: "resize.lab", Method: "POST", Path: "/a%20b", Query: "w=1&h=2", Host: "pi1:18080",
		Header: invoke.Header{{Name: "Content-Type", Value: "image/png"}, {Name: "X-Latin", Value: "caf\xe9"}, {Name: "X-Latin", Value: ""}},
		Size:   size, Callback: "http://pi2:9000/done?a=b", Accepted: 90 * time.Second,
	}
}

func sampleStatus(id string, holder peer.ID, resultSize int64) Status {
	return Status{
		Call: sampleCall(id, 5), Holder: holder, State: Done, Attempts: 3, Code: 503, Problem: "status 503", Next: 2 * time.Second,
		CallbackAttempts: 2, CallbackDelivered: true, Result: true, ResultHeader: invoke.Header{{Name: "X-A", Value: "b"}}, ResultSize: resultSize,
	}
}

// pattern is n bytes that do not repeat soon.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i/251)
	}
	return b
}

// breaking reads as its content, then fails.
type breaking struct {
	io.Reader
	err error
}

func (b breaking) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF { //nolint:errorlint // a Reader's end
		err = b.err
	}
	return n, err
}

func broken(n int, err error) io.Reader { return breaking{bytes.NewReader(pattern(n)), err} }
