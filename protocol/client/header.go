package client

import (
	"net/http"
	"net/textproto"
	"strings"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// toWire appends h's fields to list, without those that concern one connection
// only (RFC 9110, section 7.6.1).
func toWire(list invoke.Header, h http.Header) invoke.Header {
	named := strings.Join(h["Connection"], ",")
	for name, values := range h {
		if hopByHop(name) || named != "" && listed(named, name) {
			continue
		}
		for _, v := range values {
			list = append(list, invoke.Field{Name: name, Value: v})
		}
	}
	return list
}

// fromWire makes a map of h, its values in room as far as that goes.
func fromWire(h invoke.Header, room []string) http.Header {
	out := make(http.Header, len(h))
	for i := range h {
		name := textproto.CanonicalMIMEHeaderKey(h[i].Name)
		if before := out[name]; len(before) > 0 || len(room) == 0 {
			out[name] = append(before, h[i].Value)
			continue
		}
		room[0] = h[i].Value
		out[name], room = room[:1:1], room[1:]
	}
	return out
}

func listed(list, name string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(textproto.TrimString(one), name) {
			return true
		}
	}
	return false
}

func hopByHop(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Host", "Content-Length":
		return true
	}
	return false
}
