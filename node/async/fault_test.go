package async

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/p2pfaas/p2pfaas/node/nodetest"
	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

var writes = []string{"create", "write", "sync", "syncdir", "commit"}

// Whatever write fails while a call is accepted, the caller is told, nothing is
// left, and the next call goes through.
func TestFaultAtAccept(t *testing.T) {
	for _, op := range writes {
		t.Run(op, func(t *testing.T) {
			var broken atomic.Bool
			e := open(t, Config{fault: func(o string) error {
				if broken.Load() && o == op {
					return fmt.Errorf("%s: %w", o, syscall.ENOSPC)
				}
				return nil
			}})
			broken.Store(true)
			large := strings.Repeat("a", 3*copySize)
			c := callOf(async.Call{ID: "one"}, large)
			if _, _, err := e.Accept(t.Context(), c, strings.NewReader(large)); !errors.Is(err, ErrNoRoom) {
				t.Fatalf("the disk is full, and the caller is told %v", err)
			}
			empty(t, e)
			broken.Store(false)
			if _, known, err := e.Accept(t.Context(), c, strings.NewReader(large)); err != nil || known {
				t.Fatal(known, err)
			}
			become(t, e, "one", async.Done)
		})
	}
}

// Whatever write fails while an outcome is stored, it is not lost: the call is
// done once there is room again, and a callback is posted.
func TestFaultAtSettle(t *testing.T) {
	for _, op := range writes {
		for _, callback := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, callback %v", op, callback), func(t *testing.T) {
				r := newReceiver(t)
				var failures atomic.Int32
				var broken atomic.Bool
				dir := t.TempDir()
				e := stopped(t, Config{Dir: dir, fault: func(o string) error {
					if o == op && broken.Load() {
						failures.Add(1)
						return fmt.Errorf("%s: %w", o, syscall.ENOSPC)
					}
					return nil
				}})
				c := async.Call{}
				if callback {
					c.Callback = r.URL
				}
				s := post(t, e, c, strings.Repeat("a", 3*copySize))
				broken.Store(true)
				if err := e.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the disk has failed", func() error {
					if failures.Load() == 0 {
						return errors.New("not yet")
					}
					return nil
				})
				broken.Store(false)
				if !callback {
					done := become(t, e, s.ID, async.Done)
					if !done.Result && done.Problem == "" {
						t.Error("the answer was not kept, and nobody is told why")
					}
					return
				}
				eventually(t, "the callback came", func() error {
					if r.count() != 1 {
						return fmt.Errorf("%d: %+v", r.count(), find(t, e, s.ID))
					}
					return nil
				})
			})
		}
	}
}

func TestRoomIsBounded(t *testing.T) {
	e := open(t, Config{Disk: 256 << 10})
	body := strings.Repeat("a", 40<<10) // 80 KB, with its answer
	var first, last string
	for range 10 {
		last = post(t, e, async.Call{}, body).ID
		become(t, e, last, async.Done)
		if first == "" {
			first = last
		}
		if b := e.Stats().Bytes; b > 256<<10 {
			t.Fatalf("%d bytes on disk", b)
		}
	}
	if _, _, err := e.local(t.Context(), first, false); !errors.Is(err, async.ErrNotFound) {
		t.Error("the oldest answer did not make way:", err)
	}
	if got := resultOf(t, e, last); got != body {
		t.Errorf("the last result has %d bytes", len(got))
	}
	e.Quiesce() // from now on nothing ends
	var err error
	for i := 0; err == nil && i < 10; i++ {
		_, _, err = e.Accept(t.Context(), callOf(async.Call{}, body), strings.NewReader(body))
	}
	if !errors.Is(err, ErrNoRoom) || !strings.Contains(err.Error(), "async-disk") {
		t.Error(err)
	}
	huge := callOf(async.Call{}, "")
	huge.Size = -1
	if _, _, err = e.Accept(t.Context(), huge, strings.NewReader(strings.Repeat("a", 200<<10))); !errors.Is(err, ErrNoRoom) {
		t.Error("a body of more than half:", err)
	}
}

// Callers choose how long their headers are, and functions theirs.
func TestHeadersTakeRoomToo(t *testing.T) {
	long := strings.Repeat("a", 100<<10)
	f := &function{answer: func(context.Context, *invoke.Request, []byte) (*invoke.Answer, error) {
		return said(200, "", "X-Long", long), nil
	}}
	e := open(t, Config{Disk: 1 << 20, Invoker: f, Keep: time.Millisecond})
	become(t, e, post(t, e, async.Call{Header: invoke.Header{{Name: "X-Long", Value: long}}}, "").ID, async.Done)
	e.Quiesce()
	accepted := 0
	for ; ; accepted++ {
		c := callOf(async.Call{Header: invoke.Header{{Name: "X-Long", Value: long}}}, "")
		if _, _, err := e.Accept(t.Context(), c, nil); errors.Is(err, ErrNoRoom) {
			break
		} else if err != nil || accepted > 100 {
			t.Fatal(accepted, err)
		}
	}
	if accepted < 5 || accepted > 10 {
		t.Errorf("%d calls of 137 KB each fit into 1 MB", accepted)
	}
	for _, s := range e.List("", "", 100) {
		if err := e.Remove(t.Context(), s.ID); err != nil && !errors.Is(err, async.ErrNotFound) {
			t.Error(err)
		}
	}
	eventually(t, "all is given back", func() error {
		if b := e.Stats().Bytes; b != 0 {
			return fmt.Errorf("%d bytes", b)
		}
		return nil
	})
}

// A disk that is really full gives a refusal, and all goes on once there is room.
func TestFullDisk(t *testing.T) {
	nodetest.Need(t, nodetest.Root)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("no small disk can be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	f := &function{}
	e := open(t, Config{Dir: filepath.Join(dir, "q"), Invoker: f})
	filler := filepath.Join(dir, "filler")
	var ids []string
	body := strings.Repeat("a", 20<<10)
	small := "b"
	accept := func(b string) error {
		s, _, err := e.Accept(t.Context(), callOf(async.Call{}, b), strings.NewReader(b))
		if err == nil {
			ids = append(ids, s.ID)
		}
		return err
	}
	for range 5 {
		if err := accept(body); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		become(t, e, id, async.Done)
	}
	fill(t, filler)
	var refused int
	for range 200 {
		for _, b := range []string{body, small} {
			if err := accept(b); err != nil {
				refused++
				if !errors.Is(err, ErrNoRoom) {
					t.Fatalf("a full disk is told as %v", err)
				}
			}
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := accept(body); err != nil {
		t.Error("there is room again:", err)
	}
	for _, id := range ids {
		become(t, e, id, async.Done)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, Config{Dir: filepath.Join(dir, "q")})
	for _, id := range ids {
		become(t, again, id, async.Done)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); err != nil {
			if errors.Is(err, syscall.ENOSPC) {
				return
			}
			t.Fatal(err)
		}
	}
}
