package mesh

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/faas"
	"github.com/p2pfaas/p2pfaas/protocol/control"
	"github.com/p2pfaas/p2pfaas/sched"
)

// Function is one that a node runs, with what it measured of it.
type Function struct {
	Name, Namespace string
	// Fingerprint tells versions apart; see faas.Function.
	Fingerprint [8]byte
	Warm        bool
	// Cold is how long a cold start takes, 0 if none was seen.
	Cold    time.Duration
	Service sched.Service
	// KeptHome: others may not run it for the node.
	KeptHome bool
	// Idempotent: an invocation may run twice.
	Idempotent bool
}

func (f *Function) id() string {
	return faas.Name{Function: f.Name, Namespace: f.Namespace}.String()
}

// list is the functions of one node.
type list struct {
	digest    uint64 // of the report that they belong to, 0: none was fetched
	functions []Function
}

// lends tells whether the function is among them, and for others.
func (l *list) lends(function string) bool {
	return slices.ContainsFunc(l.functions, func(f Function) bool { return !f.KeptHome && f.id() == function })
}

// digest changes when the set of functions, their fingerprints or their warmth
// change, and when one of them is measured for the first time. It is never 0.
func digest(functions []Function) uint64 {
	h := sha256.New()
	for i := range functions {
		f := &functions[i]
		flags := byte(0)
		for bit, set := range []bool{f.Warm, f.Service.Mean > 0, f.KeptHome, f.Idempotent} {
			if set {
				flags |= 1 << bit
			}
		}
		h.Write([]byte{byte(len(f.Name)), byte(len(f.Namespace)), flags})
		h.Write([]byte(f.Name + f.Namespace))
		h.Write(f.Fingerprint[:])
	}
	return max(1, binary.BigEndian.Uint64(h.Sum(nil)))
}

// own reads what this node runs now.
func (m *Mesh) own() list {
	functions := slices.Clone(m.cfg.Functions())
	slices.SortFunc(functions, func(a, b Function) int { return strings.Compare(a.id(), b.id()) })
	l := list{digest: digest(functions), functions: functions}
	m.ownDigest.Store(l.digest)
	return l
}

// FunctionsChanged says that what Config.Functions or Draining returns has
// changed. Others hear of it within a moment; of changes that nobody tells,
// such as a function gone cold, a second later.
func (m *Mesh) FunctionsChanged() {
	m.advertise(m.own())
	m.announce()
	m.topic.Soon()
}

// advertise has the Directory lead others to what this node runs for them.
func (m *Mesh) advertise(own list) {
	if m.cfg.Directory == nil {
		return
	}
	var keys []string
	for i := range own.functions {
		if f := &own.functions[i]; !f.KeptHome {
			keys = append(keys, functionKey(f.id()))
		}
	}
	m.cfg.Directory.Advertise(keys)
}

// Functions answers those who ask what this node runs; it is a handler of the
// control protocol.
func (m *Mesh) Functions(context.Context, peer.ID) (control.Functions, error) {
	own := m.own()
	reply := control.Functions{Digest: own.digest, List: make([]control.Function, 0, len(own.functions))}
	for i := range own.functions {
		f := &own.functions[i]
		reply.List = append(reply.List, control.Function{
			Name: f.Name, Namespace: f.Namespace, Fingerprint: f.Fingerprint, Warm: f.Warm, Cold: f.Cold,
			Mean: f.Service.Mean, P10: f.Service.P10, Spread: f.Service.Spread, KeptHome: f.KeptHome, Idempotent: f.Idempotent,
		})
	}
	return reply, nil
}

// fromControl converts a neighbour's answer.
func fromControl(reply control.Functions) list {
	l := list{digest: reply.Digest, functions: make([]Function, 0, len(reply.List))}
	for i := range reply.List {
		f := &reply.List[i]
		l.functions = append(l.functions, Function{
			Name: f.Name, Namespace: f.Namespace, Fingerprint: f.Fingerprint, Warm: f.Warm, Cold: f.Cold, KeptHome: f.KeptHome, Idempotent: f.Idempotent,
			Service: sched.Service{Mean: f.Mean, P10: f.P10, Spread: f.Spread},
		})
	}
	return l
}
