package invoke

import (
	"fmt"
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// Fields of invokepb.Reply.
const (
	replyProgress     = 1<<3 | asBytes
	replyAnswer       = 2<<3 | asBytes
	replyTrailer      = 3<<3 | asBytes
	replyCancelResult = 4<<3 | asBytes
)

// Fields of invokepb.Progress and invokepb.CancelResult.
const (
	progressState   = 1<<3 | asVarint
	progressSender  = 2<<3 | asBytes
	cancelCancelled = 1<<3 | asVarint
)

const stateStarted = 1 // invokepb.Progress_STARTED

// Fields of invokepb.Answer.
const (
	ansCode        = 1<<3 | asVarint
	ansText        = 2<<3 | asBytes
	ansRetryAfter  = 3<<3 | asVarint
	ansStatus      = 4<<3 | asVarint
	ansHeaders     = 5<<3 | asBytes
	ansSize        = 6<<3 | asVarint
	ansNoBody      = 7<<3 | asVarint
	ansFingerprint = 8<<3 | asBytes
	ansHops        = 9<<3 | asBytes
	ansSender      = 10<<3 | asBytes
	ansOthers      = 11<<3 | asBytes
)

// Fields of invokepb.Hop.
const (
	hopPeer     = 1<<3 | asBytes
	hopTotal    = 2<<3 | asVarint
	hopDecide   = 3<<3 | asVarint
	hopProbe    = 4<<3 | asVarint
	hopQueue    = 5<<3 | asVarint
	hopService  = 6<<3 | asVarint
	hopPolicy   = 7<<3 | asBytes
	hopReason   = 8<<3 | asVarint
	hopAttempts = 9<<3 | asVarint
)

// maxAnswerHops bounds the entries of an answer: one per node on the way, and
// some room for versions that count differently.
const maxAnswerHops = 2 * maxHops

// appendProgress appends a whole frame.
func appendProgress(b []byte, started bool, n *load.News) []byte {
	b, frame := openFrame(b)
	b, at := open(b, replyProgress)
	if started {
		b = appendUint(b, progressState, stateStarted)
	}
	b = load.AppendNews(b, number(progressSender), 0, n)
	return shut(shut(b, at), frame)
}

func parseProgress(b []byte, p *Progress, n *load.News) error {
	c := cursor{b: b, text: ""}
	*n = load.News{Others: n.Others[:0]}
	var f field
	for c.more() {
		if err := c.next(&f); err != nil {
			return err
		}
		switch f.tag {
		case progressState:
			p.Started = f.v == stateStarted
		case progressSender:
			if err := parseSender(f.b, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendCancelResult appends a whole frame.
func appendCancelResult(b []byte, cancelled bool) []byte {
	b, frame := openFrame(b)
	b, at := open(b, replyCancelResult)
	b = appendBool(b, cancelCancelled, cancelled)
	return shut(shut(b, at), frame)
}

func parseCancelResult(b []byte) (cancelled bool, err error) {
	c := cursor{b: b}
	var f field
	for c.more() {
		if err := c.next(&f); err != nil {
			return false, err
		}
		if f.tag == cancelCancelled {
			cancelled = f.v != 0
		}
	}
	return cancelled, nil
}

// appendAnswer appends a whole frame: a's header or, with e, why there is none.
func appendAnswer(b []byte, a *Answer, e *Error, n *load.News) []byte {
	b, frame := openFrame(b)
	b, at := open(b, replyAnswer)
	if e != nil {
		b = appendUint(b, ansCode, uint64(e.Code))
		b = appendText(b, ansText, e.Text, maxText)
		b = appendUint(b, ansRetryAfter, deadlineToWire(e.RetryAfter))
	}
	b = appendUint(b, ansStatus, uint64(max(0, a.Status)))
	b = appendHeader(b, ansHeaders, a.Header)
	b = appendUint(b, ansSize, sizeToWire(a.Size))
	b = appendBool(b, ansNoBody, a.NoBody)
	b = appendString(b, ansFingerprint, a.Fingerprint)
	for i := range a.Hops[:min(len(a.Hops), maxAnswerHops)] {
		b = appendHop(b, &a.Hops[i])
	}
	b = load.AppendNews(b, number(ansSender), number(ansOthers), n)
	return shut(shut(b, at), frame)
}

func appendHop(b []byte, h *Hop) []byte {
	b, at := open(b, ansHops)
	b = appendString(b, hopPeer, string(h.Peer))
	b = appendUint(b, hopTotal, micros(h.Total))
	b = appendUint(b, hopDecide, micros(h.Decide))
	b = appendUint(b, hopProbe, micros(h.Probe))
	b = appendUint(b, hopQueue, micros(h.Queue))
	b = appendUint(b, hopService, micros(h.Service))
	b = appendText(b, hopPolicy, h.Policy, maxText)
	b = appendUint(b, hopReason, uint64(h.Reason))
	b = appendUint(b, hopAttempts, uint64(uint32(max(0, h.Attempts))))
	return shut(b, at)
}

// parseAnswer reads an Answer into a, e and n; e.Code is 0 if the function
// answered. All strings share one copy of b. Fields and hops are appended to what
// a has of them, which is nothing, or room.
func parseAnswer(b []byte, a *Answer, e *Error, n *load.News) error {
	c := cursor{b: b, text: string(b)}
	a.Size = -1
	*n = load.News{Others: n.Others[:0]}
	var f field
	for c.more() {
		if err := c.next(&f); err != nil {
			return err
		}
		if err := a.set(&c, &f, e, n); err != nil {
			return err
		}
	}
	return nil
}

func (a *Answer) set(c *cursor, f *field, e *Error, n *load.News) (err error) {
	switch f.tag {
	case ansCode:
		e.Code = Code(f.v)
	case ansText:
		return c.str(f, &e.Text)
	case ansRetryAfter:
		e.RetryAfter = deadlineFromWire(f.v)
	case ansStatus:
		a.Status = int(min(uint32(f.v), math.MaxInt32))
	case ansHeaders:
		return parseHeader(c.sub(f), &a.Header)
	case ansSize:
		a.Size, err = sizeFromWire(f.v)
	case ansNoBody:
		a.NoBody = f.v != 0
	case ansFingerprint:
		a.Fingerprint, err = parseFingerprint(f.b)
	case ansHops:
		return a.addHop(c.sub(f))
	case ansSender:
		return parseSender(f.b, n)
	case ansOthers:
		return parseOther(f.b, n)
	}
	return err
}

func (a *Answer) addHop(c cursor) error {
	if len(a.Hops) == maxAnswerHops {
		return fmt.Errorf("more than %d hops in an answer: %w", maxAnswerHops, errTooLarge)
	}
	var f field
	var h Hop
	for c.more() {
		if err := c.next(&f); err != nil {
			return err
		}
		if err := h.set(&c, &f); err != nil {
			return err
		}
	}
	a.Hops = append(a.Hops, h)
	return nil
}

func (h *Hop) set(c *cursor, f *field) error {
	switch f.tag {
	case hopPeer:
		h.Peer = peer.ID(c.raw(f))
	case hopTotal:
		h.Total = duration(f.v)
	case hopDecide:
		h.Decide = duration(f.v)
	case hopProbe:
		h.Probe = duration(f.v)
	case hopQueue:
		h.Queue = duration(f.v)
	case hopService:
		h.Service = duration(f.v)
	case hopPolicy:
		return c.str(f, &h.Policy)
	case hopReason:
		h.Reason = uint8(min(uint32(f.v), math.MaxUint8))
	case hopAttempts:
		h.Attempts = int(min(uint32(f.v), math.MaxInt32))
	}
	return nil
}

func micros(d time.Duration) uint64 { return uint64(max(0, d) / time.Microsecond) }

func duration(us uint64) time.Duration {
	return time.Duration(min(us, math.MaxInt64/uint64(time.Microsecond))) * time.Microsecond
}
