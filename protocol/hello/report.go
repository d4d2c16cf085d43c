package hello

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/protocol/pb/loadpb"
)

// Package load writes and reads reports; here they are one field of a generated
// message, so they go through its bytes, once per connection.

func reportToWire(r *load.Report) (*loadpb.Report, error) {
	if r == nil {
		return nil, nil
	}
	w := new(loadpb.Report)
	if err := proto.Unmarshal(load.AppendReport(nil, r), w); err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return w, nil
}

func reportFromWire(w *loadpb.Report) (*load.Report, error) {
	if w == nil {
		return nil, nil
	}
	b, err := proto.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("decode report: %w", err)
	}
	r := new(load.Report)
	if err := load.ParseReport(b, r); err != nil {
		return nil, err
	}
	return r, nil
}
