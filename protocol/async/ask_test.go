package async

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/host"
	"github.com/p2pfaas/p2pfaas/protocol/pb/asyncpb"
)

func TestFind(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	c := NewClient(asker)
	for _, size := range []int64{0, 5, 2 << 20, -1} {
		id, body := fmt.Sprintf("find-%d", size), pattern(int(max(size, 70_000*-min(size, 0))))
		k.statuses[id] = sampleStatus(id, answerer.ID(), size)
		k.results[id] = io.NopCloser(bytes.NewReader(body))
		for _, wantResult := range []bool{false, true} {
			got, result, err := c.Find(within(t), answerer.ID(), id, wantResult)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			if diff := cmp.Diff(k.statuses[id], got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", id, diff)
			}
			if (result != nil) != wantResult {
				t.Fatalf("%s: result %v, wanted: %t", id, result, wantResult)
			}
			if wantResult {
				if b, err := io.ReadAll(result); err != nil || !bytes.Equal(b, body) {
					t.Errorf("%s: %d bytes of result, error %v, want %d", id, len(b), err, len(body))
				}
				_ = result.Close()
				_ = result.Close()
			}
		}
	}
	if len(c.turns.peers) != 0 {
		t.Error("a stream is still held")
	}
}

func TestFindOfUnknown(t *testing.T) {
	asker, _, answerer := pair(t, newKept(), nil)
	_, result, err := NewClient(asker).Find(within(t), answerer.ID(), "none", true)
	if !errors.Is(err, ErrNotFound) || result != nil {
		t.Errorf("result %v, error %v, want %v", result, err, ErrNotFound)
	}
}

func TestFindWithoutAnAnswerKept(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	k.statuses["a"] = Status{Call: sampleCall("a", -1), Holder: answerer.ID(), State: Running, ResultSize: -1}
	got, result, err := NewClient(asker).Find(within(t), answerer.ID(), "a", true)
	if err != nil || result != nil {
		t.Fatalf("result %v, error %v", result, err)
	}
	if diff := cmp.Diff(k.statuses["a"], got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBrokenResult(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	for _, size := range []int64{200_000, -1} {
		k.statuses["a"] = sampleStatus("a", answerer.ID(), size)
		k.results["a"] = io.NopCloser(broken(100_000, errors.New("bad sector")))
		_, result, err := NewClient(asker).Find(within(t), answerer.ID(), "a", true)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(result); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("size %d: %d bytes, error %v, want %v", size, len(b), err, io.ErrUnexpectedEOF)
		}
		_ = result.Close()
	}
}

// closing tells when it is closed.
type closing struct {
	io.Reader
	closed chan struct{}
}

func (c closing) Close() error { close(c.closed); return nil }

func TestResultNotReadToItsEnd(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	for name, giveUp := range map[string]func(cancel func(), r io.Closer){
		"closed":    func(_ func(), r io.Closer) { _ = r.Close() },
		"cancelled": func(cancel func(), _ io.Closer) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			endless := closing{new(counted), make(chan struct{})}
			k.statuses["a"], k.results["a"] = sampleStatus("a", answerer.ID(), -1), endless
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			_, result, err := NewClient(asker).Find(ctx, answerer.ID(), "a", true)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = result.Close() }()
			if _, err := io.ReadFull(result, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			giveUp(cancel, result)
			<-endless.closed
		})
	}
}

func TestCancel(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	k.statuses["a"] = sampleStatus("a", answerer.ID(), -1)
	waiting := k.statuses["a"]
	waiting.State, waiting.ID = Queued, "b"
	k.statuses["b"] = waiting
	c := NewClient(asker)

	got, err := c.Cancel(within(t), answerer.ID(), "b")
	if err != nil || got.State != Cancelled {
		t.Errorf("cancel what waits: state %q, error %v", got.State, err)
	}
	got, err = c.Cancel(within(t), answerer.ID(), "a")
	if !errors.Is(err, ErrFinished) || got.State != Done || got.Code != 503 {
		t.Errorf("cancel what has ended: state %q, code %d, error %v, want how it ended and %v", got.State, got.Code, err, ErrFinished)
	}
	if _, err = c.Cancel(within(t), answerer.ID(), "c"); !errors.Is(err, ErrNotFound) {
		t.Errorf("cancel what is unknown: error %v, want %v", err, ErrNotFound)
	}
}

func TestForget(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	k.calls["a"] = Call{}
	if err := NewClient(asker).Forget(within(t), answerer.ID(), "a"); err != nil || k.has("a") {
		t.Errorf("still kept: %t, error %v", k.has("a"), err)
	}
}

func TestAlive(t *testing.T) {
	asker, _, answerer := pair(t, newKept(), nil)
	var ids, want []string
	for i := range 2*MaxIDs + 10 {
		ids = append(ids, fmt.Sprintf("%s-%d", strings.Repeat("x", MaxID-8), i))
		if i%10 == 7 {
			want = append(want, ids[i])
		}
	}
	got, err := NewClient(asker).Alive(within(t), answerer.ID(), ids)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if none, err := NewClient(asker).Alive(within(t), answerer.ID(), nil); err != nil || none != nil {
		t.Errorf("of no calls %v are alive, error %v", none, err)
	}
}

// member may read and execute, reader read alone, stranger nothing.
type member struct{ function *string }

func (m member) Allow(_ context.Context, _ peer.ID, v host.Verb, function string) error {
	*m.function += function
	if v != host.VerbRead && v != host.VerbExecute {
		return host.ErrDenied
	}
	return nil
}

type reader struct{}

func (reader) Allow(_ context.Context, _ peer.ID, v host.Verb, _ string) error {
	if v != host.VerbRead {
		return fmt.Errorf("%w: secret reason", host.ErrDenied)
	}
	return nil
}

type stranger struct{}

func (stranger) Allow(context.Context, peer.ID, host.Verb, string) error { return host.ErrDenied }

func TestWhoMayDoWhat(t *testing.T) {
	var function string
	for _, c := range []struct {
		name             string
		gate             Gate
		mayRead, mayExec bool
	}{
		{"member", member{&function}, true, true},
		{"reader", reader{}, true, false},
		{"stranger", stranger{}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newKept()
			asker, _, answerer := pair(t, k, c.gate)
			k.statuses["a"] = sampleStatus("a", answerer.ID(), -1)
			cl, ctx, p := NewClient(asker), within(t), answerer.ID()
			check := func(what string, may bool, err error) {
				if err != nil && strings.Contains(err.Error(), "secret") || may == errors.Is(err, ErrDenied) {
					t.Errorf("%s: error %v, allowed: %t", what, err, may)
				}
			}
			check("keep", c.mayExec, cl.Keep(ctx, p, sampleCall("b", 3), strings.NewReader("abc")))
			check("forget", c.mayExec, cl.Forget(ctx, p, "b"))
			_, err := cl.Alive(ctx, p, []string{"a"})
			check("alive", c.mayExec, err)
			_, _, err = cl.Find(ctx, p, "a", false)
			check("find", c.mayRead, err)
			_, err = cl.Cancel(ctx, p, "a")
			check("cancel", c.mayRead, err)
		})
	}
	if function != "resize.lab" {
		t.Errorf("the gate was asked about %q, want resize.lab once", function)
	}
}

func TestNotReached(t *testing.T) {
	k := newKept()
	_, _, answerer := pair(t, k, nil)
	asker := newHost(t)
	asker.Peerstore().AddAddrs(answerer.ID(), answerer.Addrs(), limit)
	c := NewClient(asker)
	if err := c.Forget(within(t), answerer.ID(), "a"); !errors.Is(err, ErrNotReached) {
		t.Errorf("error %v, want %v", err, ErrNotReached)
	}
	if asker.Network().Connectedness(answerer.ID()) == network.Connected {
		t.Error("it was dialled")
	}
	if err := c.Dialling().Forget(within(t), answerer.ID(), "a"); err != nil {
		t.Errorf("dialling: %v", err)
	}
	gone := newHost(t)
	id := gone.ID()
	_ = gone.Close()
	if err := c.Dialling().Forget(within(t), id, "a"); !errors.Is(err, ErrNotReached) {
		t.Errorf("nobody there: error %v, want %v", err, ErrNotReached)
	}
}

// failing has a bug, and says too much of it.
type failing struct{ *kept }

func (failing) Forget(context.Context, peer.ID, string) error {
	return errors.New("open /secret/path: no such file")
}

func TestInternalErrorsStayInside(t *testing.T) {
	asker, _, answerer := pair(t, failing{newKept()}, nil)
	err := NewClient(asker).Forget(within(t), answerer.ID(), "a")
	if !errors.Is(err, ErrInternal) || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v, want %v alone", err, ErrInternal)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	k := newKept()
	asker, _, answerer := pair(t, k, nil)
	long := strings.Repeat("x", MaxID+1)
	with := func(change func(*Call)) *asyncpb.Request { c := sampleCall("a", 0); change(&c); return keepRequest(c) }
	many := make([][]byte, MaxIDs+1)
	for i := range many {
		many[i] = []byte("a")
	}
	for name, request := range map[string]*asyncpb.Request{
		"no call":        {What: &asyncpb.Request_Keep{Keep: &asyncpb.Keep{}}},
		"no ID":          with(func(c *Call) { c.ID = "" }),
		"long ID":        with(func(c *Call) { c.ID = long }),
		"no function":    with(func(c *Call) { c.Function = "" }),
		"method":         with(func(c *Call) { c.Method = "GET /" }),
		"path":           with(func(c *Call) { c.Path = "a" }),
		"path, two":      with(func(c *Call) { c.Path = "/a b" }),
		"query":          with(func(c *Call) { c.Query = "a\r\nb" }),
		"host":           with(func(c *Call) { c.Host = "a\nb" }),
		"callback":       with(func(c *Call) { c.Callback = strings.Repeat("x", MaxCallback+1) }),
		"header name":    with(func(c *Call) { c.Header[0].Name = "a b" }),
		"header value":   with(func(c *Call) { c.Header[0].Value = "a\nb" }),
		"forget long":    {What: &asyncpb.Request_Forget{Forget: &asyncpb.Forget{CallId: []byte(long)}}},
		"find none":      {What: &asyncpb.Request_Find{Find: &asyncpb.Find{}}},
		"cancel none":    {What: &asyncpb.Request_Cancel{Cancel: &asyncpb.Cancel{}}},
		"alive too many": {What: &asyncpb.Request_Alive{Alive: &asyncpb.Alive{CallIds: many}}},
		"alive none":     {What: &asyncpb.Request_Alive{Alive: &asyncpb.Alive{CallIds: [][]byte{nil}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewClient(asker).ask(within(t), answerer.ID(), request); !errors.Is(err, ErrBadRequest) {
				t.Errorf("error %v, want %v", err, ErrBadRequest)
			}
		})
	}
	if _, err := NewClient(asker).ask(within(t), answerer.ID(), &asyncpb.Request{}); !errors.Is(err, ErrUnknownRequest) {
		t.Errorf("of a newer version: error %v, want %v", err, ErrUnknownRequest)
	}
	if len(k.calls) != 0 {
		t.Errorf("kept %v", k.calls)
	}
}

func TestBadRequestsAreNotSent(t *testing.T) {
	asker, _, answerer := pair(t, newKept(), nil)
	call := sampleCall("a", 0)
	call.Header = nil
	for range 100 { // each allowed, all together not
		call.Header = append(call.Header, sampleCall("", 0).Header[0])
		call.Header[len(call.Header)-1].Value = strings.Repeat("x", 20_000)
	}
	if err := NewClient(asker).Keep(within(t), answerer.ID(), call, strings.NewReader("")); !errors.Is(err, ErrBadRequest) {
		t.Errorf("error %.200v, want %v", err, ErrBadRequest)
	}
}
