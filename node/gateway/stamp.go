package gateway

import (
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
const stamped = 9

// filler writes into a header. Where http.Header allocates for each field, it
// takes the values' memory at once.
type filler struct {
	header http.Header
	values []string // memory
}

func newFiller(h http.Header, fields int) filler {
	return filler{header: h, values: make([]string, 0, fields)}
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
func (g *Gateway) stamp(h *filler, hops []invoke.Hop, began time.Time) {
	h.set("X-Start-Time", strconv.FormatInt(began.UTC().UnixNano(), 10))
	h.set("X-Served-By", g.product)
	if h.header.Get("X-Duration-Seconds") == "" {
		h.set("X-Duration-Seconds", strconv.FormatFloat(time.Since(began).Seconds(), 'f', 6, 64))
	}
	if len(hops) == 0 {
		return
	}
	first, last := &hops[0], &hops[len(hops)-1]
	h.set("X-P2pfaas-Peer", g.names.of(last.Peer))
	h.set("X-P2pfaas-Hops", strconv.Itoa(len(hops)-1))
	h.set("X-P2pfaas-Policy", first.Policy)
	h.set("X-P2pfaas-Reason", sched.Reason(first.Reason).String())
	h.set("X-P2pfaas-Path", g.path(hops))
}

// path tells each node's part in milliseconds, the entry first:
// "ID;total=12.3;decide=0.1;reason=there-sooner, ID;total=11;queue=2;service=9;…".
func (g *Gateway) path(hops []invoke.Hop) string {
	var room [512]byte
	b := room[:0]
	for i := range hops {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = g.appendHop(b, &hops[i])
	}
	return string(b)
}

func (g *Gateway) appendHop(b []byte, hop *invoke.Hop) []byte {
	b = append(b, g.names.of(hop.Peer)...)
	b = appendPart(b, ";total=", hop.Total)
	b = appendPart(b, ";decide=", hop.Decide)
	b = appendPart(b, ";probe=", hop.Probe)
	b = appendPart(b, ";queue=", hop.Queue)
	b = appendPart(b, ";service=", hop.Service)
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
	return strconv.AppendFloat(append(b, name...), float64(took.Microseconds())/1000, 'f', -1, 64)
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
