package client

import (
	"net/http"
	"net/textproto"
	"strings"

	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// toWire drops what concerns one connection only (RFC 9110, section 7.6.1).
func toWire(h http.Header) invoke.Header {
	var out invoke.Header
	named := strings.Join(h.Values("Connection"), ",")
	for name, values := range h {
		if hopByHop(name) || listed(named, name) {
			continue
		}
		for _, v := range values {
			out = append(out, invoke.Field{Name: name, Value: v})
		}
	}
	return out
}

func fromWire(h invoke.Header) http.Header {
	out := make(http.Header, len(h))
	for _, f := range h {
		out.Add(f.Name, f.Value)
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
