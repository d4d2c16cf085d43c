package async

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/async"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// record is all that is kept of a call on disk, its bodies apart.
type record struct {
	Call     async.Call // Accepted is not stored: At is
	At       time.Time  // when it was accepted, here or by the first holder
	Holder   peer.ID    // who runs it; another node's for a copy
	Keeper   peer.ID    // who keeps a copy of it, "" for nobody
	Body     part
	State    async.State
	Attempts int
	Next     time.Time // when the next attempt or callback is due
	Ended    time.Time

	Code     int // of the function's last answer, 0 for none
	Problem  string
	Header   invoke.Header // of the kept answer
	Result   part          // of the kept answer
	Answered bool          // there is a kept answer
	Took     time.Duration // the last attempt

	Callback callbackState
}

// callbackState is how the callback stands.
type callbackState struct {
	Due       bool // it is to be posted, now or later
	Attempts  int
	Delivered bool
}

// part says where a body is.
type part struct {
	Size int64
	File bool // in a file of its own, else beside the record
}

// over tells whether nothing more will happen to the call by itself.
func (r *record) over() bool { return r.State.Ended() && !r.Callback.Due }

// status is what others are told. Times become durations from now.
func (r *record) status(now time.Time) async.Status {
	s := async.Status{
		Call: r.Call, Holder: r.Holder, State: r.State, Attempts: r.Attempts,
		Code: r.Code, Problem: r.Problem,
		CallbackAttempts: r.Callback.Attempts, CallbackDelivered: r.Callback.Delivered,
		Result: r.Answered, ResultHeader: r.Header, ResultSize: -1,
	}
	s.Accepted = max(0, now.Sub(r.At))
	if r.Answered {
		s.ResultSize = r.Result.Size
	}
	if !r.over() && r.Next.After(now) {
		s.Next = r.Next.Sub(now)
	}
	return s
}

// recordOf is about what the record of a call takes on disk, in bytes, with the
// header of its answer. Callers choose how long their texts are.
func recordOf(c *async.Call, answer invoke.Header) int64 {
	n := len(c.Path) + len(c.Query) + len(c.Host) + len(c.Callback)
	for _, h := range []invoke.Header{c.Header, answer} {
		for _, f := range h {
			n += len(f.Name) + len(f.Value)
		}
	}
	return recordSize + int64(base64.StdEncoding.EncodedLen(n))
}

// stored is a record's form on disk. What HTTP does not promise to be UTF-8 is
// bytes, since JSON strings would not keep it.
type stored struct {
	ID, Function, Method, Path, Query, Host, URL []byte

	Fields   [][2][]byte
	Size     int64
	At       time.Time
	Holder   []byte
	Keeper   []byte `json:",omitempty"`
	Body     part
	State    async.State
	Attempts int           `json:",omitempty"`
	Next     time.Time     `json:",omitzero"`
	Ended    time.Time     `json:",omitzero"`
	Code     int           `json:",omitempty"`
	Problem  string        `json:",omitempty"`
	Answer   [][2][]byte   `json:",omitempty"`
	Result   part          `json:",omitzero"`
	Answered bool          `json:",omitempty"`
	Took     time.Duration `json:",omitempty"`
	Callback callbackState `json:",omitzero"`
}

func (r *record) encode() ([]byte, error) {
	c := &r.Call
	return json.Marshal(stored{
		ID: []byte(c.ID), Function: []byte(c.Function), Method: []byte(c.Method), Path: []byte(c.Path),
		Query: []byte(c.Query), Host: []byte(c.Host), URL: []byte(c.Callback),
		Fields: packed(c.Header), Size: c.Size, At: r.At, Holder: []byte(r.Holder), Keeper: []byte(r.Keeper),
		Body: r.Body, State: r.State, Attempts: r.Attempts, Next: r.Next, Ended: r.Ended,
		Code: r.Code, Problem: r.Problem, Answer: packed(r.Header), Result: r.Result, Answered: r.Answered,
		Took: r.Took, Callback: r.Callback,
	})
}

func decode(b []byte) (*record, error) {
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("read a stored call: %w", err)
	}
	return &record{
		Call: async.Call{
			ID: string(s.ID), Function: string(s.Function), Method: string(s.Method), Path: string(s.Path),
			Query: string(s.Query), Host: string(s.Host), Callback: string(s.URL),
			Header: unpacked(s.Fields), Size: s.Size,
		},
		At: s.At, Holder: peer.ID(s.Holder), Keeper: peer.ID(s.Keeper), Body: s.Body, State: s.State,
		Attempts: s.Attempts, Next: s.Next, Ended: s.Ended, Code: s.Code, Problem: s.Problem,
		Header: unpacked(s.Answer), Result: s.Result, Answered: s.Answered, Took: s.Took, Callback: s.Callback,
	}, nil
}

func packed(h invoke.Header) [][2][]byte {
	fields := make([][2][]byte, len(h))
	for i, f := range h {
		fields[i] = [2][]byte{[]byte(f.Name), []byte(f.Value)}
	}
	return fields
}

func unpacked(fields [][2][]byte) invoke.Header {
	if len(fields) == 0 {
		return nil
	}
	h := make(invoke.Header, len(fields))
	for i, f := range fields {
		h[i] = invoke.Field{Name: string(f[0]), Value: string(f[1])}
	}
	return h
}
