package control

import (
	"fmt"
	"math"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/pb/controlpb"
)

func (f *Functions) proto() *controlpb.FunctionsReply {
	reply := &controlpb.FunctionsReply{Digest: f.Digest, Functions: make([]*controlpb.Function, len(f.List))}
	for i := range f.List {
		reply.Functions[i] = f.List[i].proto()
	}
	return reply
}

func (f *Function) proto() *controlpb.Function {
	return &controlpb.Function{
		Name:               f.Name,
		Namespace:          f.Namespace,
		Fingerprint:        f.Fingerprint[:],
		Warm:               f.Warm,
		ColdStartUs:        micros(f.Cold),
		ServiceMeanUs:      micros(f.Mean),
		ServiceP10Us:       micros(f.P10),
		ServiceSpreadMilli: uint32(min(max(f.Spread, 0), 1000) * 1000),
		KeptHome:           f.KeptHome,
		Idempotent:         f.Idempotent,
	}
}

func micros(d time.Duration) uint64 { return uint64(max(0, d.Microseconds())) }

// longest is what a longer time is read as.
const longest = 24 * time.Hour

func duration(us uint64) time.Duration {
	return time.Duration(min(us, uint64(longest/time.Microsecond))) * time.Microsecond
}

// longDuration is for what lasts for years, such as a node.
func longDuration(us uint64) time.Duration {
	return time.Duration(min(us, math.MaxInt64/uint64(time.Microsecond))) * time.Microsecond
}

// parseFunctions checks and converts a peer's answer. Errors wrap ErrBadReply.
func parseFunctions(m *controlpb.FunctionsReply) (Functions, error) {
	if len(m.GetFunctions()) > MaxFunctions {
		return Functions{}, fmt.Errorf("%w: %d functions, at most %d are allowed", ErrBadReply, len(m.GetFunctions()), MaxFunctions)
	}
	out := Functions{Digest: m.GetDigest(), List: make([]Function, len(m.GetFunctions()))}
	for i, f := range m.GetFunctions() {
		if err := parseFunction(f, &out.List[i]); err != nil {
			return Functions{}, err
		}
	}
	return out, nil
}

func parseFunction(m *controlpb.Function, f *Function) error {
	if !isLabel(m.GetName()) || !isLabel(m.GetNamespace()) {
		return fmt.Errorf("%w: function name of %d bytes in a namespace of %d: want 1 to %d of a-z, 0-9 and -",
			ErrBadReply, len(m.GetName()), len(m.GetNamespace()), MaxName)
	}
	if len(m.GetFingerprint()) != len(f.Fingerprint) {
		return fmt.Errorf("%w: fingerprint of %d bytes, want %d", ErrBadReply, len(m.GetFingerprint()), len(f.Fingerprint))
	}
	*f = Function{
		Name:        m.GetName(),
		Namespace:   m.GetNamespace(),
		Fingerprint: [8]byte(m.GetFingerprint()),
		Warm:        m.GetWarm(),
		Cold:        duration(m.GetColdStartUs()),
		Mean:        duration(m.GetServiceMeanUs()),
		P10:         duration(m.GetServiceP10Us()),
		Spread:      math.Min(float64(m.GetServiceSpreadMilli())/1000, 1),
		KeptHome:    m.GetKeptHome(),
		Idempotent:  m.GetIdempotent(),
	}
	return nil
}

func isLabel(s string) bool {
	if s == "" || len(s) > MaxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
