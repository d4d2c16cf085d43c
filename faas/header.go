package faas

import (
	"net/textproto"
	"strings"
)

// Field is one header line. It is an alias so that a Header converts without
// a copy to any other slice of name and value.
type Field = struct{ Name, Value string }

// Header is an ordered list of fields; names compare without case and may
// repeat. A list costs one allocation where a map costs one per field, and
// keeps what the sender sent as it was.
type Header []Field

// Get returns the first value of name, "" if absent.
func (h Header) Get(name string) string {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Has tells whether name occurs.
func (h Header) Has(name string) bool {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			return true
		}
	}
	return false
}

// Add appends a field.
func (h *Header) Add(name, value string) { *h = append(*h, Field{Name: name, Value: value}) }

// Set replaces all fields of name by one.
func (h *Header) Set(name, value string) {
	h.Del(name)
	h.Add(name, value)
}

// Del removes all fields of name, in place.
func (h *Header) Del(name string) {
	kept := (*h)[:0]
	for _, f := range *h {
		if !strings.EqualFold(f.Name, name) {
			kept = append(kept, f)
		}
	}
	*h = kept
}

// DropHopByHop removes, in place, what concerns one connection only
// (RFC 9110, section 7.6.1): the fields named in Connection, which may occur
// more than once, and the usual ones.
func (h *Header) DropHopByHop() {
	named := h.connection()
	for named != "" {
		var one string
		one, named, _ = strings.Cut(named, ",")
		if one = textproto.TrimString(one); one != "" {
			h.Del(one)
		}
	}
	kept := (*h)[:0]
	for _, f := range *h {
		if !hopByHop(f.Name) {
			kept = append(kept, f)
		}
	}
	*h = kept
}

// connection joins the values of all Connection fields.
func (h Header) connection() string {
	all := ""
	for i := range h {
		if !strings.EqualFold(h[i].Name, "Connection") {
			continue
		}
		if all == "" {
			all = h[i].Value
		} else {
			all += "," + h[i].Value
		}
	}
	return all
}

func hopByHop(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate",
		"Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}
