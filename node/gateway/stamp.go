package gateway

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strconv"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
	"github.com/p2pfaas/p2pfaas/sched"
)

// stamped is how many fields stamp and write add at most.
const stamped = 10

// filler writes into a header. Where http.Header allocates for each field, it
// takes the values' memory at once.
type filler struct {
	header http.Header
	values []string // memory
}

// filler writes up to fields, and those of stamp and write, into the answer's
// header.
func (v *visit) filler(fields int) filler {
	if most := fields + stamped; most > len(v.values) {
		return filler{v.w.Header(), make([]string, 0, most)}
	}
	return filler{v.w.Header(), v.values[:0]}
}

// set replaces what there is under a canonical name.
func (f *filler) set(name, value string) {
	if len(f.values) == cap(f.values) {
		f.header[name] = []string{value}
		return
	}
	f.values = append(f.values, value)
	at := len(f.values)
	f.header[name] = f.values[at-1 : at : at]
}

// add adds a field to those of its name, however that is written.
func (f *filler) add(name, value string) {
	name = textproto.CanonicalMIMEHeaderKey(name)
	if before := f.header[name]; len(before) > 0 {
		f.header[name] = append(before, value)
		return
	}
	f.set(name, value)
}

// stamp adds what the caller may want to know of the invocation's path.
func (v *visit) stamp(h *filler, hops []invoke.Hop) {
	if id := v.request.CallID; id != "" {
		h.set(headerCallID, id) // also where the function echoes it
	}
	var room [512]byte
	b := strconv.AppendFloat(room[:0], time.Since(v.began).Seconds(), 'f', 6, 64)
	took := len(b)
	text := string(v.appendPath(b, hops)) // one piece of memory for both
	h.set("X-Start-Time", v.start)
	h.set("X-Served-By", v.product)
	if first(h.header, "X-Duration-Seconds") == "" {
		h.set("X-Duration-Seconds", text[:took])
	}
	if len(hops) == 0 {
		return
	}
	h.set("X-P2pfaas-Peer", v.names.of(hops[len(hops)-1].Peer))
	h.set("X-P2pfaas-Hops", strconv.Itoa(len(hops)-1))
	h.set("X-P2pfaas-Path", text[took:])
}

// appendPath tells each node's part in milliseconds, the entry first:
// "ID;total=12.3;decide=0.1;policy=spread;reason=there-sooner, ID;total=11;queue=2;service=9;…".
// It is one field since each of an answer's costs the client as much as a hop's
// decision costs the node.
func (g *Gateway) appendPath(b []byte, hops []invoke.Hop) []byte {
	for i := range hops {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = g.appendHop(b, &hops[i], i == 0)
	}
	return b
}

func (g *Gateway) appendHop(b []byte, hop *invoke.Hop, entry bool) []byte {
	b = append(b, g.names.of(hop.Peer)...)
	b = appendPart(b, ";total=", hop.Total)
	b = appendPart(b, ";decide=", hop.Decide)
	b = appendPart(b, ";probe=", hop.Probe)
	b = appendPart(b, ";queue=", hop.Queue)
	b = appendPart(b, ";service=", hop.Service)
	if entry && hop.Policy != "" {
		b = append(append(b, ";policy="...), hop.Policy...)
	}
	if hop.Reason != 0 {
		b = append(append(b, ";reason="...), sched.Reason(hop.Reason).String()...)
	}
	if hop.Attempts > 1 {
		b = strconv.AppendInt(append(b, ";attempts="...), int64(hop.Attempts), 10)
	}
	return b
}

func appendPart(b []byte, name string, took time.Duration) []byte {
	if took <= 0 {
		return b
	}
	us := took.Microseconds()
	b = strconv.AppendInt(append(b, name...), us/1000, 10)
	if us %= 1000; us == 0 {
		return b
	}
	b = append(b, '.', byte('0'+us/100), byte('0'+us/10%10), byte('0'+us%10))
	return bytes.TrimRight(b, "0")
}

// names are peer IDs as text, which take longer to make than a header does. The
// zero value is ready.
type names struct {
	mu    sync.RWMutex
	known map[peer.ID]string
}

// maxNames bounds what is kept; beyond it, it begins anew.
const maxNames = 1024

func (n *names) of(p peer.ID) string {
	n.mu.RLock()
	name, ok := n.known[p]
	n.mu.RUnlock()
	if ok {
		return name
	}
	name = p.String()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known) >= maxNames {
		n.known = make(map[peer.ID]string)
	}
	n.known[peer.ID([]byte(p))] = name // p may be a part of a large string
	return name
}
