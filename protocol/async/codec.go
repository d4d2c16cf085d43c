package async

import (
	"math"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/protocol/pb/asyncpb"
	"github.com/p2pfaas/p2pfaas/protocol/pb/invokepb"
)

func (c *Call) proto() *asyncpb.Call {
	return &asyncpb.Call{
		CallId: []byte(c.ID), Function: c.Function, Method: c.Method, Path: []byte(c.Path), Query: []byte(c.Query),
		Host: c.Host, Headers: protoHeader(c.Header), SizePlusOne: plusOne(c.Size), Callback: c.Callback, AcceptedUs: micros(c.Accepted),
	}
}

// parseCall checks and converts. Errors wrap ErrBadRequest.
func parseCall(m *asyncpb.Call) (Call, error) {
	c := Call{
		ID: string(m.GetCallId()), Function: m.GetFunction(), Method: m.GetMethod(), Path: string(m.GetPath()), Query: string(m.GetQuery()),
		Host: m.GetHost(), Header: parseHeader(m.GetHeaders()), Size: lessOne(m.GetSizePlusOne()), Callback: m.GetCallback(),
		Accepted: duration(m.GetAcceptedUs()),
	}
	return c, c.check()
}

func (s *Status) proto() *asyncpb.Status {
	return &asyncpb.Status{
		Call: s.Call.proto(), Holder: []byte(s.Holder), State: protoState(s.State), Attempts: uint32(max(0, s.Attempts)),
		Code: uint32(max(0, s.Code)), Problem: tellable(s.Problem), NextUs: micros(s.Next),
		CallbackAttempts: uint32(max(0, s.CallbackAttempts)), CallbackDelivered: s.CallbackDelivered,
		Result: s.Result, ResultHeaders: protoHeader(s.ResultHeader), ResultSizePlusOne: plusOne(s.ResultSize),
	}
}

// parseStatus checks and converts. Errors wrap ErrBadReply.
func parseStatus(m *asyncpb.Status) (Status, error) {
	c, err := parseCall(m.GetCall())
	if err != nil {
		return Status{}, badReply(err)
	}
	holder, err := peer.IDFromBytes(m.GetHolder())
	if err != nil {
		return Status{}, badReply(err)
	}
	s := Status{
		Call: c, Holder: holder, State: states()[m.GetState()], Attempts: count(m.GetAttempts()), Code: count(m.GetCode()),
		Problem: tellable(m.GetProblem()), Next: duration(m.GetNextUs()),
		CallbackAttempts: count(m.GetCallbackAttempts()), CallbackDelivered: m.GetCallbackDelivered(),
		Result: m.GetResult(), ResultHeader: parseHeader(m.GetResultHeaders()), ResultSize: lessOne(m.GetResultSizePlusOne()),
	}
	return s, s.check()
}

func states() map[asyncpb.State]State {
	return map[asyncpb.State]State{
		asyncpb.State_STATE_QUEUED: Queued, asyncpb.State_STATE_RUNNING: Running, asyncpb.State_STATE_DONE: Done,
		asyncpb.State_STATE_DEAD: Dead, asyncpb.State_STATE_CANCELLED: Cancelled,
	}
}

func protoState(s State) asyncpb.State {
	for m, state := range states() {
		if state == s {
			return m
		}
	}
	return asyncpb.State_STATE_UNKNOWN
}

func protoHeader(h invoke.Header) []*invokepb.Field {
	list := make([]*invokepb.Field, len(h))
	for i := range h {
		list[i] = &invokepb.Field{Name: h[i].Name, Value: []byte(h[i].Value)}
	}
	return list
}

func parseHeader(list []*invokepb.Field) invoke.Header {
	if len(list) == 0 {
		return nil
	}
	h := make(invoke.Header, len(list))
	for i, f := range list {
		h[i] = invoke.Field{Name: f.GetName(), Value: string(f.GetValue())}
	}
	return h
}

func plusOne(size int64) uint64 { return uint64(max(size, -1) + 1) }

// lessOne makes a size that cannot be one of -2, which no check lets pass.
func lessOne(v uint64) int64 {
	if v > math.MaxInt64 {
		return -2
	}
	return int64(v) - 1
}

func micros(d time.Duration) uint64 { return uint64(max(0, d.Microseconds())) }

func duration(us uint64) time.Duration {
	return time.Duration(min(us, math.MaxInt64/uint64(time.Microsecond))) * time.Microsecond
}

func count(n uint32) int { return int(min(n, math.MaxInt32)) }
