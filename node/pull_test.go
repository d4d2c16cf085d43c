package node

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/protocol/pull"
	"github.com/p2pfaas/p2pfaas/sched"
)

// everywhere is a mesh whose peers all have the function ready.
type everywhere struct{ *meshOf }

func (everywhere) Look(p peer.ID, _ string, _ [8]byte) (sched.Neighbour, bool) {
	return sched.Neighbour{ID: p, Health: 1, Honesty: 1}, true
}

// giving is a policy that lets waiting work go, and asks for none.
type giving struct{ *scripted }

func (giving) Idle(*sched.View) (sched.Pull, time.Duration, bool) { return sched.Pull{}, 0, false }
func (giving) Pass(*sched.View, sched.Pull) (peer.ID, bool)       { return "", false }
func (giving) Pulled(sched.PullEnd)                               {}
func (giving) Served(time.Duration)                               {}

// queueing is a bench with a server that is busy for a second, and a call that
// waits behind; its answer, or error, comes over the channel.
func queueing(t *testing.T, decisions ...sched.Decision) (*bench, <-chan string) {
	b := newBench(t, nil, append([]sched.Decision{runHere}, decisions...)...)
	b.dispatcher.mesh = everywhere{b.mesh}
	b.dispatcher.policy.use("scripted", giving{b.policy})
	b.runtime.takes = time.Second
	b.peers.answers["c"] = fails(invoke.ErrNotReached)
	go func() { _, _, _ = b.call(t.Context(), invoke.Request{}) }()
	synctest.Wait()
	got := make(chan string, 1)
	go func() {
		body, _, err := b.call(t.Context(), invoke.Request{})
		if err != nil {
			body = err.Error()
		}
		got <- body
	}()
	synctest.Wait()
	return b, got
}

var refuse = sched.Decision{Action: sched.Refuse, Reason: sched.ReasonFull}

func TestHandOver(t *testing.T) {
	queue := sched.Decision{Action: sched.Run, Reason: sched.ReasonHereSooner}
	failing := []sched.Decision{forwardTo("c"), forwardTo("c"), forwardTo("c"), forwardTo("c"), forwardTo("c")}
	refused := fails(&invoke.Error{Code: invoke.CodeRefused, Remote: true})
	for _, c := range []struct {
		name      string
		asker     func(*invoke.Request, string) (*invoke.Answer, error)
		decisions []sched.Decision
		drains    bool
		given     bool
		want      string
	}{
		{"the asker answers", answers("from b"), []sched.Decision{queue}, false, true, "from b"},
		{"the asker is gone: decided anew", fails(invoke.ErrNotReached), []sched.Decision{queue, queue}, false, true, "body"},
		{"the asker refuses, and the policy does now: it waited here rightly", refused, []sched.Decision{queue, refuse}, false, true, "body"},
		{"the asker refuses, and this node drains by now", refused, []sched.Decision{queue, refuse}, true, true, "body"},
		{"no attempt is left for it", answers("from b"), append(failing, queue), false, false, "body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b *bench
				atAsker := func(r *invoke.Request, body string) (*invoke.Answer, error) {
					if c.drains {
						b.slots.drain()
					}
					return c.asker(r, body)
				}
				b, got := queueing(t, c.decisions...)
				b.peers.answers["b"] = atAsker
				if a := b.Asked(t.Context(), "b", pull.Ask{From: "b"}); a.OK != c.given {
					t.Errorf("handed over: %t, want %t", a.OK, c.given)
				}
				if body := <-got; !strings.Contains(body, c.want) {
					t.Errorf("answered %q, want %q", body, c.want)
				}
			})
		})
	}
}

// A node whose policy keeps work where it is hands nothing over.
func TestWhoKeepsToItselfHandsNothingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, got := queueing(t, sched.Decision{Action: sched.Run, Reason: sched.ReasonHereSooner})
		b.dispatcher.policy.use("scripted", b.policy)
		if a := b.Asked(t.Context(), "b", pull.Ask{From: "b"}); a.OK {
			t.Error("handed over")
		}
		if body := <-got; body != "body" {
			t.Errorf("answered %q", body)
		}
	})
}

// looking is a policy that never finds anybody to ask.
type looking struct {
	giving
	looks atomic.Int32
}

func (l *looking) Idle(*sched.View) (sched.Pull, time.Duration, bool) {
	l.looks.Add(1)
	return sched.Pull{}, time.Minute, false
}

// Many ends in a short time have a node look once, news of waiting work at once.
func TestLooksInVainAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		policy := &looking{giving: giving{b.policy}}
		b.dispatcher.policy.use("looking", policy)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go b.pulling(ctx)
		looks := func(want int32, when string) {
			t.Helper()
			synctest.Wait()
			if got := policy.looks.Load(); got != want {
				t.Errorf("%s it has looked %d times, want %d", when, got, want)
			}
		}
		serve := func() {
			slot, err := b.slots.acquire(ctx, need{weight: 1})
			if err != nil {
				t.Fatal(err)
			}
			slot.release()
		}
		looks(1, "at first")
		for range 100 {
			serve()
		}
		looks(1, "after many ends")
		time.Sleep(mostRest)
		looks(2, "when it has rested")
		b.heard(sched.News{Of: "b", Load: sched.Load{Queued: 1}})
		looks(3, "at news")
		time.Sleep(2 * mostRest)
		looks(3, "when nothing happens")
		serve()
		looks(4, "after an end that comes later")
		time.Sleep(125 * time.Second)
		looks(6, "in two minutes")
	})
}
