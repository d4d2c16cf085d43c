package node

import (
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/sched"
)

// give takes out of the line what suits an asker best, by reckon, and has it go
// to that peer.
func (s *slots) give(to peer.ID, reckon func(*invocation) (sched.Offer, bool)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.queue.Give(s.clock(), func(w *waiter, _ *sched.Entry) (sched.Offer, bool) {
		if w.need.of == nil {
			return sched.Offer{}, false
		}
		return reckon(w.need.of)
	})
	if ok {
		w.granted <- &handedOver{to}
	}
	s.next(s.clock()) // what waited behind it may fit; some may also have expired
	return ok
}

// handedOver is told to what waited and is for a peer that asked for work.
type handedOver struct{ to peer.ID }

func (h *handedOver) Error() string { return "handed over to " + h.to.String() }
