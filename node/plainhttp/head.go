package plainhttp

import (
	"bytes"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Limits of a plain request. What is beyond them is served by net/http.
const (
	// headSize bounds the head, in bytes.
	headSize = 8 << 10
	// maxFields bounds the header's fields.
	maxFields = 64
	// sizeDigits bounds the length of a body's size.
	sizeDigits = 18
)

// verdict is what can be said of bytes that a request begins with.
type verdict uint8

const (
	unfinished verdict = iota // nothing odd so far
	plain
	odd
)

// span is a part of the bytes read.
type span struct{ from, to int }

func (s span) of(b []byte) []byte    { return b[s.from:s.to] }
func (s span) in(text string) string { return text[s.from:s.to] }

// head is a request's head as it lies in the bytes read.
type head struct {
	method string // a constant
	target span
	size   int64 // of the body
	end    int   // of the head
	close  bool
	hosts  int
	sized  bool // there is a Content-Length
	host   span
	names  [maxFields]span
	values [maxFields]span
	fields int // besides the host
}

// parse reads a request's head from the beginning of b, strictly: lines end
// with CRLF, nothing is folded, names are tokens, values have no control
// characters, there is one Host, at most one Content-Length, of digits, and one
// Connection, and nothing that has other consequences for the connection or for
// how the request is read: Transfer-Encoding, Upgrade, Expect, Trailer, TE, Pragma.
func (h *head) parse(b []byte, prefix string) verdict {
	line, rest, v := cutLine(b, 0)
	if v != plain {
		return v
	}
	if !h.parseRequestLine(b, line, prefix) {
		return odd
	}
	h.size, h.close, h.hosts, h.sized, h.fields = 0, false, 0, false, 0
	connections := 0
	for {
		line, rest, v = cutLine(b, rest)
		if v != plain {
			return v
		}
		if line.from == line.to {
			break
		}
		name, value, ok := cutField(b, line)
		if !ok || h.fields == maxFields || !h.take(b, name, value, &connections) {
			return odd
		}
	}
	h.end = rest
	if h.hosts != 1 {
		return odd
	}
	return plain
}

// cutLine finds the line that begins at from, and where the next one does.
func cutLine(b []byte, from int) (line span, next int, v verdict) {
	n := bytes.IndexByte(b[from:], '\n')
	switch {
	case n < 0:
		return span{}, 0, unfinished
	case n == 0 || b[from+n-1] != '\r':
		return span{}, 0, odd
	}
	return span{from, from + n - 1}, from + n + 1, plain
}

func (h *head) parseRequestLine(b []byte, line span, prefix string) bool {
	text := line.of(b)
	method, target, ok := bytes.Cut(text, space)
	if !ok {
		return false
	}
	target, ok = bytes.CutSuffix(target, version)
	if !ok || len(target) < len(prefix) || string(target[:len(prefix)]) != prefix || !isVisible(target) {
		return false
	}
	from := line.from + len(method) + 1
	h.method, h.target = methodOf(method), span{from, from + len(target)}
	return h.method != ""
}

var (
	space   = []byte(" ")
	version = []byte(" HTTP/1.1")
)

// methodOf is the method's name as a constant, "" for others.
func methodOf(b []byte) string {
	switch string(b) {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodPost:
		return http.MethodPost
	case http.MethodPut:
		return http.MethodPut
	case http.MethodHead:
		return http.MethodHead
	case http.MethodPatch:
		return http.MethodPatch
	case http.MethodDelete:
		return http.MethodDelete
	case http.MethodOptions:
		return http.MethodOptions
	}
	return ""
}

// isVisible tells whether there is neither a space nor a control character.
func isVisible(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// cutField takes a line apart; the value has no white space around it.
func cutField(b []byte, line span) (name, value span, ok bool) {
	n := bytes.IndexByte(line.of(b), ':')
	if n <= 0 {
		return name, value, false
	}
	name, value = span{line.from, line.from + n}, span{line.from + n + 1, line.to}
	for value.from < value.to && isBlank(b[value.from]) {
		value.from++
	}
	for value.from < value.to && isBlank(b[value.to-1]) {
		value.to--
	}
	return name, value, isToken(name.of(b)) && isText(value.of(b))
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isToken(b []byte) bool {
	for _, c := range b {
		if !tokens[c] {
			return false
		}
	}
	return len(b) > 0
}

func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

var tokens = func() (t [256]bool) {
	for c := range 128 {
		t[c] = httpguts.IsTokenRune(rune(c))
	}
	return t
}()

// take keeps a field; false if it is more than plain.
func (h *head) take(b []byte, name, value span, connections *int) bool {
	text := value.of(b)
	switch kindOf(name.of(b)) {
	case hostField:
		h.hosts++
		h.host = value
		return h.hosts == 1 && len(text) > 0 && isHost(text)
	case lengthField:
		if h.sized || !h.parseSize(text) {
			return false
		}
		h.sized = true
	case connectionField:
		h.close = bytes.EqualFold(text, closes)
		if *connections++; *connections > 1 || !h.close && !bytes.EqualFold(text, keepsAlive) {
			return false
		}
	case oddField:
		return false
	}
	h.names[h.fields], h.values[h.fields] = name, value
	h.fields++
	return true
}

var closes, keepsAlive = []byte("close"), []byte("keep-alive")

// kind is what a field is to the connection.
type kind uint8

const (
	endToEnd kind = iota
	hostField
	lengthField
	connectionField
	oddField
)

func kindOf(name []byte) kind {
	is := func(s string) bool { return strings.EqualFold(string(name), s) } // takes no memory
	switch len(name) {
	case len("TE"):
		return oddIf(is("TE"))
	case len("Host"):
		if is("Host") {
			return hostField
		}
	case len("Expect"): // also Pragma's
		return oddIf(is("Expect") || is("Pragma"))
	case len("Upgrade"): // also Trailer's
		return oddIf(is("Upgrade") || is("Trailer"))
	case len("Connection"):
		if is("Connection") {
			return connectionField
		}
	case len("Content-Length"): // also HTTP2-Settings'
		if is("Content-Length") {
			return lengthField
		}
		return oddIf(is("HTTP2-Settings"))
	case len("Transfer-Encoding"):
		return oddIf(is("Transfer-Encoding"))
	}
	return endToEnd
}

func oddIf(is bool) kind {
	if is {
		return oddField
	}
	return endToEnd
}

func isHost(b []byte) bool { return httpguts.ValidHostHeader(string(b)) }

// parseSize reads a Content-Length.
func (h *head) parseSize(digits []byte) bool {
	if len(digits) == 0 || len(digits) > sizeDigits {
		return false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return false
		}
		h.size = 10*h.size + int64(c-'0')
	}
	return true
}
