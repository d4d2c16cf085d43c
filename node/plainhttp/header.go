package plainhttp

import (
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// given is what the handler said in the header of what the server has to do with.
type given struct {
	length   bool // Content-Length, right or wrong
	kind     bool // Content-Type
	date     bool
	encoded  bool // Content-Encoding
	trailers bool // there are, or may be
	transfer string

	kinds       []string // Content-Type's values
	connections []string
	declared    []string // names of trailers
}

// take keeps such a field, if it is one that is not simply passed on.
func (g *given) take(name string, values []string) bool {
	switch name {
	case "Content-Length":
		g.length = true
		return true
	case "Transfer-Encoding":
		g.transfer = first(values)
		return true
	case "Connection":
		g.connections = values
		return true
	case "Content-Type":
		g.kind, g.kinds = true, values
		return true
	case "Content-Encoding":
		g.encoded = first(values) != ""
	case "Date":
		g.date = true
	case "Trailer":
		g.declare(values)
	default:
		if strings.HasPrefix(name, http.TrailerPrefix) {
			g.trailers = true
			return true
		}
	}
	return false
}

// declare keeps the names of trailers that the handler will set.
func (g *given) declare(lists []string) {
	for _, list := range lists {
		g.trailers = true
		for name := range strings.SplitSeq(list, ",") {
			name = http.CanonicalHeaderKey(textproto.TrimString(name))
			if name != "" && httpguts.ValidTrailerHeader(name) {
				g.declared = append(g.declared, name)
			}
		}
	}
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func (w *response) appendStatus(status int) {
	w.take()
	out := strconv.AppendInt(append(w.out.text, "HTTP/1.1 "...), int64(status), 10)
	if text := http.StatusText(status); text != "" {
		out = append(append(out, ' '), text...)
	} else {
		out = strconv.AppendInt(append(out, " status code "...), int64(status), 10)
	}
	w.out.text = append(out, "\r\n"...)
}

// appendGiven puts down the handler's header as it is now.
func (w *response) appendGiven() {
	for name, values := range w.header {
		if !w.given.take(name, values) {
			w.appendField(name, values)
		}
	}
	w.given.connections = slices.Clone(w.given.connections) // of none, nil
	if w.given.length {
		w.declareSize(first(w.header["Content-Length"]))
	}
	if w.given.kind && w.status != http.StatusNotModified {
		w.appendField("Content-Type", w.given.kinds)
	}
}

func (w *response) declareSize(text string) {
	size, err := strconv.ParseInt(text, 10, 64)
	if text == "" || err != nil || size < 0 {
		w.of.conn.srv.logf("plainhttp: invalid Content-Length of %q", text)
		return
	}
	w.size = size
}

func (w *response) appendText(s string) { w.out.text = append(w.out.text, s...) }

// appendField writes a field, if its name may be one.
func (w *response) appendField(name string, values []string) {
	if !httpguts.ValidHeaderFieldName(name) {
		return
	}
	for _, value := range values {
		w.appendLine(name, value)
	}
}

// appendLine writes a value that ends no line.
func (w *response) appendLine(name, value string) {
	out := append(append(w.out.text, name...), ": "...)
	at := len(out)
	value = textproto.TrimString(value)
	out = append(out, value...)
	for i, c := range out[at:] {
		if c == '\r' || c == '\n' {
			out[at+i] = ' '
		}
	}
	w.out.text = append(out, "\r\n"...)
}

// commit completes the header. body is what there is of the body, done whether
// that is all.
func (w *response) commit(body []byte, done bool) {
	w.committed = true
	g, head, may := &w.given, w.of.request.Method == http.MethodHead, mayHaveBody(w.status)
	if done && !g.trailers && g.transfer == "" && may && !g.length && (!head || len(body) > 0) {
		w.size, g.length = int64(len(body)), true
	}
	w.last = w.of.request.Close || first(g.connections) == "close" || w.of.conn.srv.ending.Load()
	if !w.last && !w.duplex && !w.of.body.skip(skipTime) {
		w.last = true
	}
	if may && !g.kind && !g.encoded && g.transfer == "" && len(body) > 0 {
		w.appendLine("Content-Type", http.DetectContentType(body))
	}
	if !g.date {
		w.appendLine("Date", w.of.conn.srv.now())
	}
	w.appendFraming(head, may)
	w.appendConnection()
	w.appendText("\r\n")
}

// appendFraming says how the body's end is known.
func (w *response) appendFraming(head, may bool) {
	g := &w.given
	if w.size >= 0 && g.transfer != "" && g.transfer != "identity" {
		w.of.conn.srv.logf("plainhttp: a Content-Length of %d and a Transfer-Encoding of %q", w.size, g.transfer)
		w.size = -1
	}
	switch {
	case !may:
	case w.size >= 0:
		w.out.text = append(strconv.AppendInt(append(w.out.text, "Content-Length: "...), w.size, 10), "\r\n"...)
	case head:
	case g.transfer == "identity":
		w.last = true
	default:
		w.chunked = true
		if g.transfer != "" && g.transfer != "chunked" {
			w.appendLine("Transfer-Encoding", g.transfer)
		}
		w.appendText("Transfer-Encoding: chunked\r\n")
	}
}

// appendConnection says whether this is the connection's last answer.
func (w *response) appendConnection() {
	list := w.given.connections
	if !w.last || w.status == http.StatusSwitchingProtocols || saysClose(list) && !w.of.conn.srv.ending.Load() {
		w.appendField("Connection", list)
		return
	}
	w.appendText("Connection: close\r\n")
}

func saysClose(connections []string) bool {
	return httpguts.HeaderValuesContainsToken(connections[:min(1, len(connections))], "close")
}

// appendTrailers writes what the handler has set for behind the body.
func (w *response) appendTrailers() {
	for name, values := range w.header {
		if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			w.appendField(name, values)
		}
	}
	for _, name := range w.given.declared {
		w.appendField(name, w.header[name])
	}
}

// mayHaveBody tells whether an answer of that status may.
func mayHaveBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
