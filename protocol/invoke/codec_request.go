package invoke

import (
	"fmt"
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/p2pfaas/p2pfaas/protocol/load"
)

// Fields of invokepb.Call.
const (
	callRequest = 1<<3 | asBytes
	callTrailer = 2<<3 | asBytes
	callCancel  = 3<<3 | asBytes
)

// Fields of invokepb.Field.
const (
	fieldName  = 1<<3 | asBytes
	fieldValue = 2<<3 | asBytes
)

// Fields of invokepb.Request.
const (
	reqCallID      = 1<<3 | asBytes
	reqFunction    = 2<<3 | asBytes
	reqMethod      = 3<<3 | asBytes
	reqPath        = 4<<3 | asBytes
	reqQuery       = 5<<3 | asBytes
	reqHost        = 6<<3 | asBytes
	reqHeaders     = 7<<3 | asBytes
	reqSize        = 8<<3 | asVarint
	reqDeadline    = 9<<3 | asVarint
	reqHops        = 10<<3 | asBytes
	reqParent      = 11<<3 | asBytes
	reqTraceParent = 12<<3 | asBytes
	reqTraceState  = 13<<3 | asBytes
	reqMayRepeat   = 14<<3 | asVarint
	reqUpgrade     = 15<<3 | asBytes
	reqFingerprint = 16<<3 | asBytes
	reqTaskType    = 17<<3 | asFixed64
	reqPriority    = 18<<3 | asVarint
	reqSender      = 19<<3 | asBytes
	reqOthers      = 20<<3 | asBytes
	reqAvoid       = 21<<3 | asBytes
)

const (
	maxFields      = 1024 // header fields in one header
	maxHops        = 16   // nodes on the way of one invocation
	maxAvoid       = 16   // nodes that failed on an invocation; more are left out
	maxPeerID      = 64   // bytes
	maxFingerprint = 64   // bytes
	maxText        = 1024 // bytes of an explanation
)

// appendRequest appends a whole frame. left is the deadline.
func appendRequest(b []byte, r *Request, left time.Duration, n *load.News) []byte {
	b, frame := openFrame(b)
	b, at := open(b, callRequest)
	b = appendString(b, reqCallID, r.CallID)
	b = appendString(b, reqFunction, r.Function)
	b = appendString(b, reqMethod, r.Method)
	b = appendString(b, reqPath, r.Path)
	b = appendString(b, reqQuery, r.Query)
	b = appendString(b, reqHost, r.Host)
	b = appendHeader(b, reqHeaders, r.Header)
	b = appendUint(b, reqSize, sizeToWire(r.Size))
	b = appendUint(b, reqDeadline, deadlineToWire(left))
	for _, hop := range r.Hops {
		b = appendElement(b, reqHops, hop)
	}
	b = appendString(b, reqParent, r.Parent)
	b = appendString(b, reqTraceParent, r.TraceParent)
	b = appendString(b, reqTraceState, r.TraceState)
	b = appendBool(b, reqMayRepeat, r.MayRepeat)
	b = appendString(b, reqUpgrade, r.Upgrade)
	b = appendString(b, reqFingerprint, r.Fingerprint)
	if bits := math.Float64bits(r.TaskType); bits != 0 {
		b = protowire.AppendFixed64(protowire.AppendVarint(b, uint64(reqTaskType)), bits)
	}
	b = appendUint(b, reqPriority, protowire.EncodeZigZag(int64(int32(r.Priority))))
	b = load.AppendNews(b, number(reqSender), number(reqOthers), n)
	for _, p := range r.Avoid[:min(len(r.Avoid), maxAvoid)] {
		b = appendElement(b, reqAvoid, p)
	}
	return shut(shut(b, at), frame)
}

// appendCancel appends a whole CANCEL_IF_QUEUED frame.
func appendCancel(b []byte) []byte {
	b, frame := openFrame(b)
	b, at := open(b, callCancel)
	return shut(shut(b, at), frame)
}

// parseOneof returns the tag and bytes of the frame within a Call or Reply, 0
// if it has none that is known as bytes.
func parseOneof(b []byte) (tag, []byte, error) {
	c := cursor{b: b}
	var f, last field
	for c.more() {
		if err := c.next(&f); err != nil {
			return 0, nil, err
		}
		if f.tag&7 == asBytes {
			last = f
		}
	}
	return last.tag, last.b, nil
}

// parseRequest reads a Request into r and n. All strings share one copy of b.
// Fields and hops are appended to what r has of them, which is nothing, or room.
func parseRequest(b []byte, r *Request, n *load.News) error {
	c := cursor{b: b, text: string(b)}
	r.Size = -1
	*n = load.News{Others: n.Others[:0]}
	var f field
	for c.more() {
		if err := c.next(&f); err != nil {
			return err
		}
		if err := r.set(&c, &f, n); err != nil {
			return err
		}
	}
	return nil
}

func (r *Request) set(c *cursor, f *field, n *load.News) (err error) {
	switch f.tag {
	case reqCallID:
		return c.str(f, &r.CallID)
	case reqFunction:
		return c.str(f, &r.Function)
	case reqMethod:
		return c.str(f, &r.Method)
	case reqPath:
		r.Path = c.raw(f)
	case reqQuery:
		r.Query = c.raw(f)
	case reqHost:
		return c.str(f, &r.Host)
	case reqHeaders:
		return parseHeader(c.sub(f), &r.Header)
	case reqSize:
		r.Size, err = sizeFromWire(f.v)
	case reqDeadline:
		r.Deadline = deadlineFromWire(f.v)
	case reqHops:
		return addPeer(&r.Hops, c.raw(f), maxHops+1) // one more, so that too many can be seen
	case reqMayRepeat:
		r.MayRepeat = f.v != 0
	case reqTaskType:
		r.TaskType = math.Float64frombits(f.v)
	case reqPriority:
		r.Priority = int(int32(protowire.DecodeZigZag(f.v & math.MaxUint32)))
	case reqFingerprint:
		r.Fingerprint, err = parseFingerprint(f.b)
	default:
		return r.setRare(c, f, n)
	}
	return err
}

func (r *Request) setRare(c *cursor, f *field, n *load.News) error {
	switch f.tag {
	case reqParent:
		return c.str(f, &r.Parent)
	case reqTraceParent:
		return c.str(f, &r.TraceParent)
	case reqTraceState:
		return c.str(f, &r.TraceState)
	case reqUpgrade:
		return c.str(f, &r.Upgrade)
	case reqSender:
		return parseSender(f.b, n)
	case reqOthers:
		return parseOther(f.b, n)
	case reqAvoid:
		return addPeer(&r.Avoid, c.raw(f), maxAvoid)
	}
	return nil
}

// addPeer appends a peer ID unless list has so many already.
func addPeer(list *[]peer.ID, id string, limit int) error {
	if id == "" || len(id) > maxPeerID {
		return fmt.Errorf("peer ID of %d bytes, 1 to %d are allowed: %w", len(id), maxPeerID, errMalformed)
	}
	if len(*list) < limit {
		*list = append(*list, peer.ID(id))
	}
	return nil
}

func number(t tag) protowire.Number { return protowire.Number(t >> 3) }

func sizeToWire(size int64) uint64 { return uint64(max(-1, size) + 1) }

func sizeFromWire(v uint64) (int64, error) {
	if v > math.MaxInt64 {
		return 0, fmt.Errorf("body of %d bytes: %w", v-1, errMalformed)
	}
	return int64(v) - 1, nil
}

// deadlineToWire rounds up: 0 would mean none.
func deadlineToWire(d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return uint64((d-1)/time.Millisecond) + 1
}

// deadlineFromWire takes what is beyond a century as no deadline.
func deadlineFromWire(ms uint64) time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	if ms > uint64(century/time.Millisecond) {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

func parseFingerprint(b []byte) ([]byte, error) {
	if len(b) > maxFingerprint {
		return nil, fmt.Errorf("fingerprint of %d bytes, at most %d are allowed: %w", len(b), maxFingerprint, errMalformed)
	}
	if len(b) == 0 {
		return nil, nil
	}
	return append([]byte(nil), b...), nil
}

func parseSender(b []byte, n *load.News) error {
	n.Has = true
	return load.ParseReport(b, &n.Sender)
}

func parseOther(b []byte, n *load.News) error {
	if len(n.Others) == load.MaxEntries {
		return nil
	}
	var e load.Entry
	err := load.ParseEntry(b, &e)
	n.Others = append(n.Others, e)
	return err
}
